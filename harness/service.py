"""What is tested and under which conditions: resilience.toml, read and checked."""

import hashlib
import tomllib
from pathlib import Path

import msgspec

from harness.contract import Limits
from harness.errors import ConfigurationError
from harness.sanity import explain, guess, refuse_nonsense, refuse_wrong_types
from harness.settings import Settings

ARTIFACT_FILES = ("model.onnx", "manifest.json")


class Artifact(msgspec.Struct, frozen=True):
    """A model artifact on disk, its digest checked."""

    folder: Path
    digest: str
    version: str


def read(path: Path) -> Settings:
    """The settings in a TOML file. Raises ConfigurationError: the key, what was expected, seen."""
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"expected {path}, which does not exist; write one (the README shows it), "
            "or name another with --resilience"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error}; mend its rights") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    refuse_wrong_types(document, path)
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {explain(str(error))}") from error
    refuse_nonsense(settings, path)
    return settings


def limits(settings: Settings, path: Path) -> Limits:
    """The contract's limits, with those that [contract] gives in place of the defaults."""
    known: dict[str, object] = dict(Limits.__dataclass_fields__)
    for key in settings.contract:
        if key not in known:
            raise ConfigurationError(f"{path}: contract has no key {key!r}{guess(key, known)}")
    try:
        return msgspec.convert(settings.contract, Limits)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: contract: {error}") from error


def artifact(settings: Settings, root: Path) -> Artifact | None:
    """The model artifact that the settings name. Raises ConfigurationError if it is wrong."""
    if settings.service.artifact is None:
        return None
    folder = root / settings.service.artifact
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=_Manifest)
        seen = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"service.artifact: expected model.onnx and manifest.json in {folder}, but: {error}; "
            "restore them, or build them anew with the training script"
        ) from error
    if seen != manifest.sha256:
        raise ConfigurationError(
            f"service.artifact: {folder}/model.onnx has sha256 {seen[:16]}..., its manifest says "
            f"{manifest.sha256[:16]}...; restore the file, or build model and manifest anew"
        )
    return Artifact(folder, seen, manifest.version)


class _Manifest(msgspec.Struct, frozen=True):
    sha256: str
    version: str
