"""Tells what is being done, to what, for how long: at a terminal, and in the run's directory."""

import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from harness.underway import Now, Teller


class Progress:
    """One line that is written over; prints nothing where the output is no terminal."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self._began_s = time.monotonic()
        self._scenario = ""
        self._began_at = _wall_clock()
        self._to_come = 0
        self._teller: Teller | None = None
        self._lock = threading.Lock()

    @classmethod
    def on_terminal(cls) -> "Progress":
        """On the error output as it is now: to be made before pytest begins to capture."""
        if sys.__stderr__ is None or not sys.__stderr__.isatty():
            return cls(None)
        return cls(os.fdopen(os.dup(sys.__stderr__.fileno()), "w"))

    def close(self) -> None:
        """Write nothing more."""
        self.tell_no_more()
        if self._out is not None:
            self.done()
            self._out.close()
            self._out = None

    def tell_in(self, directory: Path) -> None:
        """Tell it in this run's directory too."""
        self._teller = Teller(directory)

    def tell_no_more(self) -> None:
        """The run's directory is left as it is."""
        if self._teller is not None:
            self._teller.close()
            self._teller = None

    def scenario(self, name: str, to_come: int = 0) -> None:
        """What follows belongs to this scenario, after which so many are to come."""
        self._scenario, self._to_come = name, to_come
        self._began_s, self._began_at = time.monotonic(), _wall_clock()

    def doing(self, what: str) -> None:
        """What is being done now."""
        if self._teller is not None:
            self._teller.tell(Now(self._scenario, self._began_at, what, self._to_come))
        if self._out is None:
            return
        with self._lock:
            now_s = time.monotonic()
            line = f"  {self._scenario or 'mayfly'} · {now_s - self._began_s:5.1f} s · {what}"
            width = os.get_terminal_size(self._out.fileno()).columns or 80
            self._out.write(f"\r\x1b[2K{line[: width - 1]}")
            self._out.flush()

    def done(self) -> None:
        """Clear the line."""
        if self._out is not None:
            with self._lock:
                self._out.write("\r\x1b[2K")
                self._out.flush()


def _wall_clock() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
