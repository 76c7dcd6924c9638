"""What is tested, as resilience.toml says it: settings, limits, and the model artifact."""

import hashlib
import json
from pathlib import Path

import pytest

from harness import service
from harness.contract import Limits
from harness.errors import ConfigurationError
from harness.settings import PLACEHOLDERS

ROOT = Path(__file__).parent.parent
RIGHT = '[service]\nmodel = "m"\ngolden = "golden.npz"\nbuild = "app"\n'


def written(folder: Path, text: str) -> Path:
    """A resilience.toml with this text."""
    path = folder / "resilience.toml"
    path.write_text(text)
    return path


def test_missing(tmp_path: Path) -> None:
    """A file that is not there is named, together with the way to name another."""
    with pytest.raises(ConfigurationError) as caught:
        service.read(tmp_path / "resilience.toml")
    said = str(caught.value)

    assert str(tmp_path / "resilience.toml") in said
    assert "--resilience" in said


def test_not_text(tmp_path: Path) -> None:
    """Bytes that are no text are no TOML."""
    (tmp_path / "resilience.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match="is not TOML"):
        service.read(tmp_path / "resilience.toml")


def test_defaults(tmp_path: Path) -> None:
    """Three lines are enough: everything else has a default, and the contract keeps its limits."""
    path = written(tmp_path, RIGHT)
    settings = service.read(path)

    assert (settings.service.build, settings.platform.replicas) == ("app", 3)
    assert service.limits(settings, path) == Limits()


def test_whole_numbers_for_seconds(tmp_path: Path) -> None:
    """Seconds may be written without a decimal point."""
    path = written(tmp_path, f"{RIGHT}[load]\ndeadline_s = 3\n[contract]\nold_name_s = 5")
    settings = service.read(path)

    assert settings.load.deadline_s == 3.0
    assert service.limits(settings, path) == Limits(old_name_s=5)


def test_every_placeholder_is_known(tmp_path: Path) -> None:
    """All placeholders may be used, and doubled braces are plain ones."""
    value = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
    text = f'{RIGHT}[service.environment]\nALL = "{value}"\nJSON = "{{{{}}}}"'

    assert service.read(written(tmp_path, text)).service.environment["ALL"] == value


def test_own_configuration_reads() -> None:
    """The project's own resilience.toml reads, and its model artifact is whole."""
    path = ROOT / "resilience.toml"
    settings = service.read(path)
    service.limits(settings, path)
    found = service.artifact(settings, ROOT)

    assert found is not None
    assert found.digest == hashlib.sha256((found.folder / "model.onnx").read_bytes()).hexdigest()


def artifact(folder: Path, manifest: str | None) -> service.Artifact | None:
    """The artifact in a folder with the model ``b"model"`` and this manifest."""
    (folder / "model.onnx").write_bytes(b"model")
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    settings = service.read(written(folder, f'{RIGHT}artifact = "."'))
    return service.artifact(settings, folder)


def test_artifact(tmp_path: Path) -> None:
    """An artifact has the digest of its model and the version of its manifest."""
    digest = hashlib.sha256(b"model").hexdigest()

    found = artifact(tmp_path, json.dumps({"sha256": digest, "version": "v1", "more": 1}))

    assert found == service.Artifact(tmp_path, digest, "v1")


def test_no_artifact(tmp_path: Path) -> None:
    """A service that brings its own model names no artifact."""
    assert service.artifact(service.read(written(tmp_path, RIGHT)), tmp_path) is None


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ('{"sha256": "00000000", "version": "v1"}', "manifest says 00000000..."),
        (None, "expected model.onnx and manifest.json in"),
        ("{", "expected model.onnx and manifest.json in"),
        ('{"version": "v1"}', "sha256"),
    ],
)
def test_artifact_wrong(tmp_path: Path, manifest: str | None, expected: str) -> None:
    """A model that is not what its manifest says is refused, as is one without manifest."""
    with pytest.raises(ConfigurationError, match=r"service\.artifact: ") as caught:
        artifact(tmp_path, manifest)

    assert expected in str(caught.value)
