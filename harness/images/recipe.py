"""A recipe: a Dockerfile and what it copies. The image's tag is the hash of all its inputs."""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ImageError

_MODE = 0o644
_MODE_EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of.

    ``files`` maps paths inside the build context to files or folders here. ``lock`` names a
    requirements file with hashes; the wheels that it pins enter the context as ``wheels/``.
    """

    name: str
    dockerfile: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    lock: Path | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)

    def tag(self, base: str) -> str:
        """``mayfly/<name>:<hash>``: another tag as soon as anything in the image changed."""
        digest = hashlib.sha256(base.encode())
        digest.update(repr(sorted(self.arguments.items())).encode())
        files = list(self.context_files())
        if self.lock:
            digest.update(self.lock.read_bytes())
        for inside, path in files:
            content = path.read_bytes()
            digest.update(f"{inside}\0{_mode(path):o}\0{len(content)}\0".encode() + content)
        return f"mayfly/{self.name}:{digest.hexdigest()[:12]}"

    def context_files(self) -> Iterator[tuple[str, Path]]:
        """Path in the context and path here of each file, in a fixed order."""
        for needed in (self.dockerfile, *([self.lock] if self.lock else ())):
            self._demand(needed)
        yield "Dockerfile", self.dockerfile
        for inside, source in sorted(self.files.items()):
            self._demand(source)
            for path in _files_below(source):
                below = path.relative_to(source).as_posix()
                yield (inside if below == "." else f"{inside}/{below}"), path

    def _demand(self, path: Path) -> None:
        if not path.exists():
            raise ImageError(
                f"the image {self.name} needs {path}, which does not exist; "
                "restore it or mend the path in resilience.toml"
            )

    def context(self, wheels: Path | None) -> io.BytesIO:
        """The build context as a tar archive, the same bytes for the same inputs."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for inside, path in self.context_files():
                _add(tar, inside, path)
            for path in sorted(wheels.iterdir()) if wheels else ():
                _add(tar, f"wheels/{path.name}", path)
            if self.lock:
                _add(tar, "requirements.lock", self.lock)
        archive.seek(0)
        return archive


def _files_below(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(
        path
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def _mode(path: Path) -> int:
    return _MODE_EXECUTABLE if path.stat().st_mode & 0o100 else _MODE


def _add(tar: tarfile.TarFile, inside: str, path: Path) -> None:
    """Owner, times and mode are fixed: the builder's cache is to see content only."""
    entry = tarfile.TarInfo(inside)
    entry.size = path.stat().st_size
    entry.mode = _mode(path)
    with path.open("rb") as content:
        tar.addfile(entry, content)
