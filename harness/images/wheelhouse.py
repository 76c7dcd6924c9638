"""Wheels for an image, downloaded outside of its build, checked against a lock file's hashes.

A build may have no way to a package index, or none whose certificate it trusts; and what enters an
image is pinned to the byte.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from harness.errors import ImageError

PYTHON = "3.11"
"""The Python of the base image: Debian 12 ships 3.11."""

_PLATFORMS = {
    "amd64": ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    "arm64": ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"),
}


def ensure(lock: Path, architecture: str) -> Path:
    """A folder that holds the wheels of the lock file and no others, filled if it is not there yet.

    ``architecture`` is the engine's own name of it, such as amd64.
    """
    if architecture not in _PLATFORMS:
        raise ImageError(
            f"expected an engine on {' or '.join(_PLATFORMS)}, found {architecture}: "
            "there are no wheels for it"
        )
    key = hashlib.sha256(lock.read_bytes() + architecture.encode() + PYTHON.encode())
    folder = _cache() / "wheels" / key.hexdigest()[:16]
    if not (folder / "complete").exists():
        _download(lock, architecture, folder)
        (folder / "complete").touch()
    return folder / "wheels"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mayfly"


def _download(lock: Path, architecture: str, folder: Path) -> None:
    platforms = [f"--platform={name}" for name in _PLATFORMS[architecture]]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation=cp"),
        *(f"--python-version={PYTHON}", "--abi=cp311", "--abi=abi3", "--abi=none", *platforms),
        *("--dest", str(folder / "wheels"), "--requirement", str(lock)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(
            f"could not download the wheels that {lock} pins (pip ended with {done.returncode}); "
            f"check that a package index can be reached. pip said:\n{done.stderr[-1200:]}"
        )
