"""The child processes of a container's first process, seen and killed from a container beside it.

The helper shares the process ids of the container and nothing else, so this works for any image,
even for one without a shell. It is root without any right but one: to send signals to processes of
others. It looks as nobody, and uses that right in the one call that kills.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container as Helper

from harness import engine
from harness.errors import FaultError
from harness.platforms.containers import Container, engine_errors
from harness.platforms.ownership import ROLE

HELPER = "helper"
"""The role of such a container, as its label says it."""

_LIFETIME_S = 600  # it ends by itself, whatever becomes of the harness
_NOBODY, _ROOT = "65534:65534", "0:0"
_PARENT, _STARTED = 1, 19  # positions among the fields of /proc/PID/stat behind the command's name


@dataclass(frozen=True, slots=True)
class ChildProcesses:
    """Fits ``harness.platform.Children``."""

    _helper: Helper
    _of: str

    @classmethod
    @contextmanager
    def of(cls, container: Container, image: str) -> Iterator["ChildProcesses"]:
        """Those of a container that runs. Raises FaultError where no helper can start beside it."""
        client = engine.connect()
        try:
            with engine_errors(f"starting a helper beside {container.name}"):
                helper = _start(client, container, image)
            try:
                yield cls(helper, container.name)
            finally:
                with engine_errors(f"removing the helper beside {container.name}"):
                    _remove(helper)
        finally:
            client.close()

    def running(self) -> Mapping[int, str]:
        """Process id to when it started, in the kernel's ticks; raises FaultError with the cause.

        Where the first process has ended, so has everything in there: then there are none.
        """
        seen = self._call("for each in /proc/[0-9]*/stat; do cat $each; done 2>/dev/null; true")
        return {} if seen is None else _children(seen.decode(errors="replace"))

    def kill(self, pid: int) -> None:
        """SIGKILL."""
        self._call(f"kill -KILL {pid:d}", user=_ROOT)

    def _call(self, script: str, user: str = _NOBODY) -> bytes | None:
        """What a script prints inside the helper; None: the helper has ended."""
        with engine_errors(f"looking at the processes of {self._of}"):
            try:
                code, said = self._helper.exec_run(["sh", "-c", script], user=user)
            except APIError as error:
                self._helper.reload()
                if self._helper.status != "running":
                    return None
                raise FaultError(
                    f"could not look at the processes of {self._of}: {error.explanation or error}"
                ) from error
        output = cast("bytes", said)
        if code:
            self._helper.reload()
            if self._helper.status != "running":
                return None
            raise FaultError(f"`{script}` beside {self._of} ended with {code}: {output[-200:]!r}")
        return output


def _start(client: docker.DockerClient, container: Container, image: str) -> Helper:
    try:
        return client.containers.run(
            image,
            entrypoint=["sleep", str(_LIFETIME_S)],
            detach=True,
            name=f"{container.full_name}-helper-{len(container.lives)}",
            labels={**container.spec.labels, ROLE: HELPER},
            pid_mode=f"container:{container.full_name}",
            network_mode="none",
            user=_ROOT,  # only who is root in there can be given the right to send signals
            read_only=True,
            cap_drop=["ALL"],
            cap_add=["KILL"],
            security_opt=["no-new-privileges"],
            mem_limit="64m",
            memswap_limit="64m",
            pids_limit=16,
        )
    except APIError as error:
        raise FaultError(
            f"could not put a helper into the process namespace of {container.name}: "
            f"{error.explanation or error}"
        ) from error


def _remove(helper: Helper) -> None:
    try:
        helper.remove(force=True)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # its removal is already under way
            raise


def _children(stats: str) -> dict[int, str]:
    """Children of process 1, from lines as those of /proc/PID/stat."""
    result = {}
    for line in stats.splitlines():
        pid, _, rest = line.partition(" (")
        fields = rest.rpartition(")")[2].split()
        if len(fields) > _STARTED and fields[_PARENT] == "1" and fields[0] not in "ZX":
            result[int(pid)] = fields[_STARTED]
    return result
