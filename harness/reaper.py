"""The reaper of a run: a process that outlives the harness just long enough to clean up after it.

It holds the other end of a pipe. While the harness lives nothing comes through; when the harness
has cleaned up it says so; when it dies, by SIGKILL too, the pipe ends without a word, and the
reaper does at once what ``mayfly heal`` would do later. It imports the engine's client only then,
so that waiting costs nothing.
"""

import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

_DONE = b"done\n"
_END_S = 5.0


class Reaper:
    """The harness's side: started with the run, dismissed when nothing is left to clean up."""

    def __init__(self, run_id: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.reaper", run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what ends the harness's process group must not end it
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def dismiss(self) -> None:
        """Tell it that there is nothing left to do, and wait until it has gone."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # somebody ended it: then there is nobody to dismiss
            self._process.stdin.write(_DONE)
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def watch(run_id: str, harness: IO[bytes]) -> int:
    """Wait for the harness's end; heal the run unless that end was in order."""
    if harness.readline() == _DONE:
        return 0
    from docker.errors import APIError  # noqa: PLC0415

    from harness import engine  # noqa: PLC0415  # see above: only now, when it is needed
    from harness.errors import EngineError  # noqa: PLC0415
    from harness.platforms import ownership  # noqa: PLC0415

    pause = threading.Event()
    for _ in range(20):  # the lock of a process that just died may be held a moment longer
        with suppress(EngineError, APIError):
            client = engine.connect()
            try:
                ownership.heal(client, run_id)
                if not ownership.belongings(client, run_id):
                    return 0
            finally:
                client.close()
        pause.wait(0.5)
    return 1


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1], sys.stdin.buffer))
