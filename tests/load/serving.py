"""Start, order about and kill the server of server.py."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

_SCRIPT = Path(__file__).with_name("server.py")


class Served:
    """A server process on 127.0.0.1; as a context manager it leaves none behind."""

    def __init__(self, golden: Path, port: int = 0) -> None:
        self.golden = golden
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT), str(golden), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._hear())

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def behave(self, behaviour: str) -> None:
        """Answer so from now on: golden, wrong, garbage, typed, flaky, silent, or an error."""
        self._say(behaviour)
        assert self._hear() == "done"

    def count(self) -> tuple[int, int]:
        """Ask for the requests and attempts that came in."""
        self._say("count")
        requests, attempts = self._hear().split()
        return int(requests), int(attempts)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.communicate()

    def restart(self) -> "Served":
        """Start a new server on the same port."""
        return Served(self.golden, self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self.kill()

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
