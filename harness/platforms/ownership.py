"""Which run a container belongs to, whether that run still lives, and what a dead one left behind.

Everything that a run makes carries its labels. A living run holds a lock on a file that a label
names; the system releases it however the process ends. So a later run knows what nobody owns any
more, and two runs side by side leave each other alone.
"""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from harness import resets

_AT_ONCE = 8

RUN, LOCK, MACHINE, ROLE = "mayfly.run", "mayfly.lock", "mayfly.machine", "mayfly.role"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A container, network, volume or open fault of a run, and how to speak of it."""

    kind: str
    name: str
    run: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def verb(self) -> str:
        """What is done about it."""
        return "undid" if self.kind == "fault" else "removed"


class Ownership:
    """A run's claim on what it makes. Holds the lock until closed, or until the process ends."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        home = Path(tempfile.gettempdir()) / f"mayfly-{os.getuid()}"
        home.mkdir(exist_ok=True)
        home.chmod(0o711)  # containers run as other users, and look into folders below
        self._path = home / f"{run_id}.lock"
        self._file: IO[str] = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def labels(self, role: str) -> dict[str, str]:
        """The labels of everything that this run makes."""
        return {
            RUN: self.run_id,
            LOCK: str(self._path),
            MACHINE: socket.gethostname(),
            ROLE: role,
        }

    def folder(self, name: str) -> Path:
        """A new folder of this run on this machine, which others may read."""
        folder = _folder_of(self._path) / name
        folder.mkdir(mode=0o755, parents=True)
        return folder

    @property
    def journal(self) -> Path:
        """Where this run's undo journal is."""
        return _journal_of(self._path)

    def close(self) -> None:
        """Give the claim up. What is still there counts as left behind from now on."""
        _forget(self._path)
        self._file.close()


def belongings(client: docker.DockerClient, run_id: str) -> list[Leftover]:
    """What there is of one run."""
    networks = client.networks.list(filters=_label(run_id))
    volumes = client.volumes.list(filters=_label(run_id))
    return [
        *(Leftover("container", str(each.name), run_id) for each in _containers(client, run_id)),
        *(Leftover("network", str(each.name), run_id) for each in networks),
        *(Leftover("volume", str(each.name), run_id) for each in volumes),
    ]


def remove(client: docker.DockerClient, run_id: str) -> list[Leftover]:
    """Remove everything of one run, containers first. What resists does not stop the rest."""
    removed = belongings(client, run_id)
    containers = _containers(client, run_id)
    if containers:
        with ThreadPoolExecutor(min(len(containers), _AT_ONCE)) as pool:
            for _ in pool.map(lambda each: _quietly(each.remove, force=True, v=True), containers):
                pass
    for network in client.networks.list(filters=_label(run_id)):
        _quietly(network.remove)
    for volume in client.volumes.list(filters=_label(run_id)):
        _quietly(volume.remove, force=True)
    return removed


def heal(client: docker.DockerClient, only: str | None = None) -> list[Leftover]:
    """Undo and remove what dead runs of this machine left behind, and say what that was.

    ``only`` names the one run to look at; otherwise all that anything belongs to.
    """
    healed: list[Leftover] = []
    for run_id, labels in _runs(client):
        if labels.get(MACHINE) != socket.gethostname():
            continue  # its lock cannot be seen from here: it may well be alive
        if only not in (None, run_id):
            continue
        lock = Path(labels.get(LOCK, ""))
        with _abandoned(lock) as abandoned:
            if abandoned:
                healed += _undone(client, _journal_of(lock), run_id)
                healed += remove(client, run_id)
    return healed


def _undone(client: docker.DockerClient, journal: Path, run_id: str) -> list[Leftover]:
    """The faults that were undone. What cannot be undone is removed all the same, by the caller."""
    try:
        return [Leftover("fault", each, run_id) for each in resets.undo(client, journal)]
    except APIError:
        return []


def _folder_of(lock: Path) -> Path:
    return lock.with_suffix(".d")


def _journal_of(lock: Path) -> Path:
    return lock.with_suffix(".journal")


def _forget(lock: Path) -> None:
    """Remove what a run had on this machine: its folders and journal first, then its lock."""
    shutil.rmtree(_folder_of(lock), ignore_errors=True)
    _journal_of(lock).unlink(missing_ok=True)
    lock.unlink(missing_ok=True)


def _containers(client: docker.DockerClient, run_id: str) -> list[Container]:
    return client.containers.list(all=True, filters=_label(run_id), ignore_removed=True)


def _label(run_id: str) -> dict[str, str | list[str] | bool]:
    return {"label": f"{RUN}={run_id}"}


def _runs(client: docker.DockerClient) -> list[tuple[str, Mapping[str, str]]]:
    """Each run that anything on the engine belongs to, with its labels."""
    runs: dict[str, Mapping[str, str]] = {}
    for container in client.containers.list(all=True, filters={"label": RUN}, ignore_removed=True):
        runs.setdefault(container.labels[RUN], container.labels)
    for thing in (
        *client.networks.list(filters={"label": RUN}),
        *client.volumes.list(filters={"label": RUN}),
    ):
        labels = thing.attrs.get("Labels") or {}
        runs.setdefault(labels[RUN], labels)
    return list(runs.items())


@contextmanager
def _abandoned(path: Path) -> Iterator[bool]:
    """Whether nobody holds the lock; while the block runs nobody else can take it."""
    try:
        lock = path.open("r+")
    except FileNotFoundError:
        yield True
        return
    except OSError:  # another user's
        yield False
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held by a living run
            yield False
            return
        yield True
        _forget(path)


def _quietly(action: Callable[..., object], **options: bool) -> None:
    """Removing twice is no error: a second healer, or the engine itself, may have been faster."""
    try:
        action(**options)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # 409: its removal is already under way
            raise
