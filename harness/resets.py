"""Carries out what the undo journal says: for whoever finds a disturbance that nobody ended."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import docker
import httpx
from docker.errors import NotFound

from harness.journal import open_entries
from harness.platform import Reset

_ANSWER_WITHIN_S = 2.0


def undo(client: docker.DockerClient, journal: Path) -> list[str]:
    """Undo the open entries of a dead run, the last one first; a line for each.

    Its containers are thawed, so that they can be removed as others are. Rules of its proxy need no
    undoing: they die with the proxy, which is removed next, and by now another run's proxy may
    listen where it did.
    """
    entries = open_entries(journal)
    for entry in entries:
        for reset in entry.resets:
            if reset.kind == "container":
                _thaw(client, reset.subject)
    return [f"{entry.fault!r} of {', '.join(entry.targets)}" for entry in entries]


def carry_out(client: docker.DockerClient, resets: Iterable[Reset]) -> None:
    """Bring what a living run has disturbed back to its undisturbed state."""
    for reset in resets:
        if reset.kind == "container":
            _thaw(client, reset.subject)
        else:
            httpx.post(f"{reset.where}/reset", timeout=_ANSWER_WITHIN_S, trust_env=False)


def _thaw(client: docker.DockerClient, name: str) -> None:
    with suppress(NotFound):
        container = client.containers.get(name)
        if container.status == "paused":
            container.unpause()
