"""A run that goes on: whether a process works on it, and on what.

That process holds a lock on a file in the run's directory, which the system releases however the
process ends. What it does now stands beside it, in progress.json.
"""

import fcntl
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

_LOCK = ".lock"
_PROGRESS = "progress.json"
_PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class Now:
    """What a run does now."""

    scenario: str  # its name; empty before the first
    began_at: str  # of the scenario: wall clock, ISO 8601 with time zone
    doing: str
    to_come: int  # scenarios after this one


class Claim:
    """A process's hold on the directory of its run, until released or until the process ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / _LOCK
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)  # waits: who only asks holds it for a moment

    def release(self) -> None:
        """Nothing in the directory will change any more."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def is_going_on(directory: Path) -> bool:
    """Whether a process of this machine works on the run."""
    try:
        file = (directory / _LOCK).open()
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def told(directory: Path) -> Now | None:
    """What the run told last. None where it told nothing, or nothing that can be read."""
    try:
        return msgspec.json.decode((directory / _PROGRESS).read_bytes(), type=Now)
    except (OSError, msgspec.DecodeError):
        return None


class Teller:
    """Writes progress.json, at most once in a period, and never leaves the last word out.

    In a thread of its own, so that whoever measures waits for no disk.
    """

    def __init__(self, directory: Path, period_s: float = _PERIOD_S) -> None:
        self._path = directory / _PROGRESS
        self._period_s = period_s
        self._now: Now | None = None
        self._has_news = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="progress", daemon=True)
        self._thread.start()

    def tell(self, now: Now) -> None:
        """Have this written soon."""
        self._now = now
        self._has_news.set()

    def close(self) -> None:
        """Nothing is done any more."""
        self._is_over.set()
        self._has_news.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _keep_writing(self) -> None:
        while True:
            self._has_news.wait()
            self._has_news.clear()
            if self._is_over.is_set():
                return
            with suppress(OSError):  # a full disk is told by what has to be written
                self._write()
            self._is_over.wait(self._period_s)

    def _write(self) -> None:
        partial = self._path.with_suffix(".json.partial")
        partial.write_bytes(msgspec.json.encode(self._now))
        partial.replace(self._path)
