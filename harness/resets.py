"""Carries out what the undo journal says: for whoever finds a disturbance that nobody ended."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import docker
import httpx
from docker.errors import APIError, NotFound

from harness.journal import open_entries
from harness.platform import Reset

_ANSWER_WITHIN_S = 2.0


def undo(client: docker.DockerClient, journal: Path) -> list[str]:
    """Reset what every open entry names, the last one first; a line for each fault undone.

    What cannot be reached any more is passed over: whoever undoes a dead run removes its containers
    next, and a rule dies with its proxy.
    """
    undone = []
    for entry in open_entries(journal):
        _reset_all(client, entry.resets)
        undone.append(f"{entry.fault!r} of {', '.join(entry.targets)}")
    return undone


def _reset_all(client: docker.DockerClient, resets: Iterable[Reset]) -> None:
    for reset in resets:
        match reset.kind:
            case "container":
                _thaw(client, reset.subject)
            case "proxy":
                _clear(reset.where)


def _thaw(client: docker.DockerClient, name: str) -> None:
    try:
        client.containers.get(name).unpause()
    except NotFound:
        pass
    except APIError as error:
        if error.status_code not in (409, 500):  # it is not paused, or does not run any more
            raise


def _clear(control_url: str) -> None:
    with suppress(httpx.HTTPError):  # the proxy is gone, and its rules with it
        httpx.post(f"{control_url}/reset", timeout=_ANSWER_WITHIN_S, trust_env=False)
