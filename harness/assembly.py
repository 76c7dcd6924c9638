"""From resilience.toml to a platform that can be started: settings, images, model, examiner."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import engine, service
from harness.contract import Limits
from harness.errors import ConfigurationError
from harness.images import build
from harness.images.recipe import Recipe
from harness.platforms.grounds import Blueprint
from harness.service import ARTIFACT_FILES, Artifact
from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that resilience.toml says, read and checked."""

    root: Path
    settings: Settings
    limits: Limits
    artifact: Artifact | None

    @classmethod
    def of(cls, path: Path) -> "Assembly":
        """Read a resilience.toml. Raises ConfigurationError."""
        settings = service.read(path)
        root = path.resolve().parent
        assembly = cls(
            root, settings, service.limits(settings, path), service.artifact(settings, root)
        )
        if not assembly.golden.is_file():
            raise ConfigurationError(
                f"{path}: service.golden: expected a file at {assembly.golden}, found none; "
                "name an .npz with input.NAME and output.NAME arrays"
            )
        return assembly

    @property
    def golden(self) -> Path:
        """The golden set."""
        return self.root / self.settings.service.golden

    def images(self, say: engine.Say) -> Mapping[str, str]:
        """The tag of each image that a run needs, built where it is missing."""
        service_settings = self.settings.service
        recipes = [build.BACKING[name] for name in ("balancer", *self.settings.platform.backing)]
        if service_settings.build is not None:
            baked = self.artifact if service_settings.bake_model else None
            recipes.append(service_recipe(self.root / service_settings.build, baked))
        client = engine.connect()
        try:
            tags = build.ensure(client, recipes, self.settings.platform.base_image, say)
        finally:
            client.close()
        if service_settings.image is not None:
            return {**tags, "service": service_settings.image}
        return tags

    def blueprint(self, images: Mapping[str, str], run_id: str, seed: int) -> Blueprint:
        """What a platform is made from."""
        return Blueprint(
            settings=self.settings,
            images=images,
            artifact=self.artifact,
            golden=self.golden,
            tolerance=self.limits.golden_tolerance,
            run_id=run_id,
            seed=seed,
        )


def service_recipe(folder: Path, baked: Artifact | None) -> Recipe:
    """The image of a service that is built from a folder: its Dockerfile, lock file and modules.

    What only training needs, golden sets and models stay outside, but for the one that is baked in.
    """
    files = {
        f"app/{folder.name}/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*.py"))
        if "training" not in path.relative_to(folder).parts
    }
    arguments: dict[str, str] = {}
    if baked is not None:
        arguments["MODEL_SOURCE"] = "baked"
        files |= {f"app/model/{name}": baked.folder / name for name in ARTIFACT_FILES}
    lock = folder / "requirements.lock"
    return Recipe(
        "service", folder / "Dockerfile", files, lock if lock.exists() else None, arguments
    )
