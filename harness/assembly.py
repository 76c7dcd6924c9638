"""From resilience.toml to a platform that can be started: settings, images, model, examiner."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths

from harness import engine, service
from harness.contract import Limits
from harness.errors import ConfigurationError, LoadError
from harness.images import build
from harness.images.recipe import Recipe
from harness.load.plan import RetryPolicy
from harness.platforms.grounds import Blueprint
from harness.service import Artifact
from harness.settings import ModelSource, Settings


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
        limits, artifact = service.limits(settings, path), service.artifact(settings, root)
        assembly = cls(root, settings, limits, artifact)
        try:
            retry_policy(settings)
        except LoadError as error:
            raise ConfigurationError(f"{path}: {error}") from error
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
        platform = self.settings.platform
        proxy = ("proxy",) if platform.storage_path == "proxied" and platform.backing else ()
        recipes = [build.BACKING[name] for name in ("balancer", *proxy, *platform.backing)]
        if service_settings.build is not None:
            recipes.append(self._recipe(bake=service_settings.bake_model))
        client = engine.connect()
        try:
            if service_settings.image is not None:
                build.fetch(client, service_settings.image, say)
            tags = build.ensure(client, recipes, self.settings.platform.base_image, say)
        finally:
            client.close()
        if service_settings.image is not None:
            return {**tags, "service": service_settings.image}
        return tags

    def blueprint(self, images: Mapping[str, str], run_id: str) -> Blueprint:
        """What a platform is made from."""
        return Blueprint(
            settings=self.settings,
            images=images,
            artifact=self.artifact,
            golden=self.golden,
            tolerance=self.limits.golden_tolerance,
            run_id=run_id,
            model=self.model,
            build=None if self.model is None else self._variant,
        )

    @property
    def model(self) -> ModelSource | None:
        """Where replicas have their model from; None where the image is made elsewhere."""
        if self.settings.service.build is None or self.artifact is None:
            return None
        return "baked" if self.settings.service.bake_model else "downloaded"

    def _variant(self, model: ModelSource) -> str:
        """The tag of the service's image with the model from there, built where it is missing."""
        recipe = self._recipe(bake=model == "baked")
        with closing(engine.connect()) as client:
            return build.ensure(client, [recipe], self.settings.platform.base_image, _silent)[
                recipe.name
            ]

    def _recipe(self, *, bake: bool) -> Recipe:
        assert self.settings.service.build is not None
        return service_recipe(self.root / self.settings.service.build, self.artifact, bake=bake)


def _silent(_what: str) -> None:
    """Nobody waits for it at a terminal: whoever asked says what is going on."""


def retry_policy(settings: Settings) -> RetryPolicy:
    """The caller's policy. Raises LoadError where it makes no sense."""
    retry = settings.load.retry
    return RetryPolicy(attempts=retry.attempts, codes=retry.codes)


def service_recipe(folder: Path, artifact: Artifact | None, *, bake: bool) -> Recipe:
    """The image of a service that is built from a folder with a Dockerfile.

    The build's context is the folder without what its .dockerignore names, ``wheels/`` with what
    its requirements.lock pins, and ``model/`` with the manifest, and the model if it is baked in.
    """
    ignored = folder / ".dockerignore"
    lines = ignored.read_text().splitlines() if ignored.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    inside = exclude_paths(str(folder), [*patterns, "**/__pycache__"])
    files = {name: folder / name for name in inside if (folder / name).is_file()}
    arguments: dict[str, str] = {}
    if artifact is not None:
        files["model/manifest.json"] = artifact.folder / "manifest.json"
    if artifact is not None and bake:
        arguments["MODEL_SOURCE"] = "baked"
        files["model/model.onnx"] = artifact.folder / "model.onnx"
    for added_by_the_recipe in ("Dockerfile", "requirements.lock"):
        files.pop(added_by_the_recipe, None)
    lock = folder / "requirements.lock"
    return Recipe(
        "service", folder / "Dockerfile", files, lock if lock.exists() else None, arguments
    )
