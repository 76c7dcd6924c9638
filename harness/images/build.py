"""Builds what is missing: the base image first, then the others side by side."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, ImageNotFound

from harness import engine
from harness.errors import ImageError
from harness.images import base, wheelhouse
from harness.images.recipe import Recipe

_HERE = Path(__file__).parent
_BUILDS_AT_ONCE = 2

BACKING = {
    name: Recipe(
        name,
        _HERE / name / "Dockerfile",
        {"files": _HERE / name / "files"} if (_HERE / name / "files").exists() else {},
        lock=_HERE / "store" / "requirements.lock" if name == "store" else None,
    )
    for name in ("balancer", "database", "cache", "store")
} | {"proxy": Recipe("proxy", _HERE / "proxy" / "Dockerfile", {"proxy": _HERE.parent / "proxy"})}
"""The images which the platform itself is made of."""


def ensure(
    client: docker.DockerClient, recipes: Sequence[Recipe], base_image: str, say: engine.Say
) -> Mapping[str, str]:
    """The tag of each recipe's image by the recipe's name, built where it does not exist."""
    tags = {recipe.name: recipe.tag(base_image) for recipe in recipes}
    missing = [recipe for recipe in recipes if not _exists(client, tags[recipe.name])]
    if missing:
        base.ensure(client, base_image, say)
        with ThreadPoolExecutor(_BUILDS_AT_ONCE) as pool:
            for _ in pool.map(lambda recipe: _build(client, recipe, base_image, say), missing):
                pass
    return tags


def fetch(client: docker.DockerClient, reference: str, say: engine.Say) -> None:
    """Make sure that an image made elsewhere is on the engine. Raises ImageError."""
    if _exists(client, reference):
        return
    say(f"pulling {reference}")
    try:
        client.images.pull(reference)
    except APIError as error:
        raise ImageError(
            f"expected the image {reference} on the engine or in a registry, found neither "
            f"({str(error.explanation or error)[:120]}); build or pull it, or mend service.image "
            "in resilience.toml"
        ) from error


def _exists(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def _build(client: docker.DockerClient, recipe: Recipe, base_image: str, say: engine.Say) -> None:
    tag = recipe.tag(base_image)
    say(f"building {tag}")
    wheels = wheelhouse.ensure(recipe.lock, _architecture(client)) if recipe.lock else None
    try:
        client.images.build(
            fileobj=recipe.context(wheels),
            custom_context=True,
            tag=tag,
            rm=True,
            forcerm=True,
            buildargs={"BASE": base_image, **recipe.arguments},
            labels={"mayfly.image": recipe.name},
            timeout=900,
        )
    except BuildError as error:
        log = "".join(
            str(line.get("stream", "")) for line in error.build_log if isinstance(line, dict)
        )
        raise ImageError(f"building {tag} failed: {error.msg}\n{log[-1500:]}") from error
    except APIError as error:
        raise ImageError(f"building {tag} failed: {error.explanation or error}") from error


def _architecture(client: docker.DockerClient) -> str:
    return str(client.version()["Arch"])
