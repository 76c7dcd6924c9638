"""Wheels for an image: downloaded once, into a folder that belongs to one lock file."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.errors import ImageError
from harness.images import wheelhouse


@dataclass
class Pip:
    """Stands in for pip: notes how it was called, and ends as it is told."""

    status: int = 0
    calls: list[list[str]] = field(default_factory=list)

    def __call__(
        self, command: list[str], **_options: object
    ) -> "subprocess.CompletedProcess[str]":
        """Take the place of subprocess.run."""
        self.calls.append(command)
        if self.status == 0:
            wheels = Path(command[command.index("--dest") + 1])
            wheels.mkdir(parents=True)
            (wheels / "numpy-2.whl").write_bytes(b"wheel")
        return subprocess.CompletedProcess(command, self.status, "", "no matching distribution")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pip:
    """A pip that succeeds, and an empty cache."""
    stand_in = Pip()
    monkeypatch.setattr(subprocess, "run", stand_in)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return stand_in


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock file."""
    path = tmp_path / "requirements.lock"
    path.write_text("numpy==2 --hash=sha256:00")
    return path


def test_downloads_once(pip: Pip, lock: Path, tmp_path: Path) -> None:
    """The first call downloads, the second finds all there; only wheels are in the folder."""
    first, second = wheelhouse.ensure(lock, "amd64"), wheelhouse.ensure(lock, "amd64")

    assert first == second
    assert first.is_relative_to(tmp_path / "cache" / "mayfly")
    assert [path.name for path in first.iterdir()] == ["numpy-2.whl"]
    assert len(pip.calls) == 1


def test_pins_to_the_byte(pip: Pip, lock: Path) -> None:
    """Pip is asked for wheels only, with the hashes of the lock, for the base image's Python."""
    wheelhouse.ensure(lock, "amd64")

    (command,) = pip.calls
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(command)
    assert f"--python-version={wheelhouse.PYTHON}" in command
    assert command[command.index("--requirement") + 1] == str(lock)


def test_one_folder_for_each_lock_and_architecture(pip: Pip, lock: Path) -> None:
    """Another lock or another architecture has a folder of its own, and its own platform tags."""
    folders = [wheelhouse.ensure(lock, "amd64"), wheelhouse.ensure(lock, "arm64")]
    lock.write_text("numpy==3 --hash=sha256:01")
    folders.append(wheelhouse.ensure(lock, "amd64"))

    assert len(set(folders)) == 3
    assert any("x86_64" in word for word in pip.calls[0])
    assert not any("x86_64" in word for word in pip.calls[1])
    assert any("aarch64" in word for word in pip.calls[1])


def test_failed_download(pip: Pip, lock: Path) -> None:
    """A download that fails says so with pip's own words, and is tried anew the next time."""
    pip.status = 1
    with pytest.raises(ImageError, match=r"(?s)pip ended with 1.*no matching distribution") as said:
        wheelhouse.ensure(lock, "amd64")
    pip.status = 0
    wheelhouse.ensure(lock, "amd64")

    assert str(lock) in str(said.value)
    assert len(pip.calls) == 2


def test_unknown_architecture(pip: Pip, lock: Path) -> None:
    """An engine on an architecture without wheels is named before anything is downloaded."""
    with pytest.raises(ImageError, match="expected an engine on amd64 or arm64, found riscv64"):
        wheelhouse.ensure(lock, "riscv64")

    assert pip.calls == []
