"""A user's own locustfile, run by Locust itself beside Mayfly's load: ``locust --headless``.

For load that only its owner can describe: sessions, mixtures, other protocols. No verdict ever uses
Locust's percentiles: its loop is closed, so it offers less just when the service is worst, and
its times include its own queueing. What it counted is kept with the run, for people to read.

Locust runs in a process of its own (it patches sockets), in a process group of its own, and ends
with its parent whatever ends that. As ``python -m harness.load.locustfile`` this module is that
process: Locust's own command line behind a watch on stdin.
"""

import _thread  # not threading: gevent is about to replace it, and this thread has to be a real one
import csv
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.errors import LoadError

_START_S = 60.0  # for Python, Locust and the file, on a busy machine
_END_S = 10.0  # from SIGTERM until the statistics are written
_TAIL_CHARACTERS = 2000
_CSV = "locust"  # what the files are called


@dataclass(frozen=True, slots=True)
class Counted:
    """What Locust counted in all: requests that ended, and those that its users call failed."""

    requests: int
    failures: int


class LocustProcess:
    """A locustfile at work. As a context manager it runs for the block, and leaves none behind.

    Files, all in the given directory: ``locust.json`` (what was counted in all, written at the
    end), ``locust_stats.csv``, ``locust_stats_history.csv``, ``locust_failures.csv`` and
    ``locust_exceptions.csv`` (Locust's own, which may lack the last second), ``locust.stderr`` and
    ``locust.stdout``.
    """

    def __init__(self, process: subprocess.Popen[bytes], directory: Path) -> None:
        self._process = process
        self._directory = directory

    @classmethod
    def spawn(
        cls, locustfile: Path, host: str, directory: Path, users: int = 10, spawn_rate: float = 10.0
    ) -> Self:
        """Start Locust, which begins at once; a shape in the file decides instead of ``users``.

        ``host`` is what the file's users read as ``self.host``: a URL or an address. ``spawn_rate``
        is in users a second. Raises LoadError where there is no such file.
        """
        if not locustfile.is_file():
            raise LoadError(f"there is no locustfile at {locustfile}; correct the path")
        directory.mkdir(parents=True, exist_ok=True)
        options = {"-f": locustfile, "-H": host, "-u": users, "-r": spawn_rate}
        options["--csv"] = directory.absolute() / _CSV
        given = [str(part) for option in options.items() for part in option]
        results = _results(directory.absolute())
        results.unlink(missing_ok=True)
        with (
            (directory / "locust.stdout").open("wb") as stdout,
            (directory / "locust.stderr").open("wb") as stderr,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "harness.load.locustfile", results, *given, *_HEADLESS],
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        return cls(process, directory)

    @property
    def pid(self) -> int:
        """Locust's process id, which is its process group's too."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether Locust is there."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise LoadError with the end of its stderr if Locust has died."""
        if not self.is_running():
            raise LoadError(
                f"Locust ended with exit status {self._process.returncode}; its stderr: "
                f"{self.stderr()}"
            )

    def await_requests(self, count: int = 1, timeout_s: float = _START_S) -> Counted:
        """Wait until so many requests ended, as the statistics say (each few seconds)."""
        pause = threading.Event()
        for _ in range(int(timeout_s / 0.05)):
            self.check()
            counted = self.counted()
            if counted.requests >= count:
                return counted
            pause.wait(0.05)
        raise LoadError(
            f"expected {count} requests of Locust within {timeout_s:g} s, saw {counted.requests}; "
            f"its stderr: {self.stderr()}"
        )

    def counted(self) -> Counted:
        """What Locust counted: some seconds ago while it runs, in all once the block is left."""
        with suppress(OSError):
            return msgspec.json.decode(_results(self._directory).read_bytes(), type=Counted)
        with suppress(OSError), (self._directory / f"{_CSV}_stats.csv").open() as rows:
            for row in csv.DictReader(rows):
                if row["Name"] == "Aggregated" and row.get("Failure Count"):
                    return Counted(int(row["Request Count"]), int(row["Failure Count"]))
        return Counted(0, 0)

    def stderr(self) -> str:
        """The end of what Locust wrote to stderr."""
        text = (self._directory / "locust.stderr").read_text(errors="replace").strip()
        return text[-_TAIL_CHARACTERS:] or "(empty)"

    def stop(self) -> Counted:
        """Have Locust write its statistics and end. Raises LoadError if it had died before."""
        self.check()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.end()
        return self.counted()

    def end(self) -> None:
        """Leave no process of its group behind; may be called again."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.stop()
        finally:
            self.end()


# Failed requests are counted, and are no failure of Locust itself.
_HEADLESS = ("--headless", "--only-summary", "--exit-code-on-error", "0", "--loglevel", "WARNING")


def _results(directory: Path) -> Path:
    return directory / f"{_CSV}.json"


def _end_with_parent() -> None:
    """End the whole group when stdin ends: then whoever started it is gone, even if by SIGKILL."""
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Be Locust, for as long as stdin is open; leave what it counted in the file named first."""
    _thread.start_new_thread(_end_with_parent, ())
    from locust import events  # noqa: PLC0415  # it patches this process
    from locust.env import Environment  # noqa: PLC0415
    from locust.main import main as locust  # noqa: PLC0415

    path = Path(sys.argv.pop(1))

    def remember(environment: Environment, **_: object) -> None:
        def write(**_: object) -> None:
            total = environment.stats.total
            path.write_bytes(msgspec.json.encode(Counted(total.num_requests, total.num_failures)))

        events.quit.add_listener(write)

    events.init.add_listener(remember)
    locust()


if __name__ == "__main__":
    main()
