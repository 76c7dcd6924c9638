"""Tells a person at a terminal what is being done, to what, and for how long; silent elsewhere."""

import os
import sys
import threading
import time
from typing import TextIO


class Progress:
    """One line that is written over; prints nothing where the output is no terminal."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self._began_s = time.monotonic()
        self._scenario = ""
        self._lock = threading.Lock()

    @classmethod
    def on_terminal(cls) -> "Progress":
        """On the error output as it is now: to be made before pytest begins to capture."""
        if sys.__stderr__ is None or not sys.__stderr__.isatty():
            return cls(None)
        return cls(os.fdopen(os.dup(sys.__stderr__.fileno()), "w"))

    def close(self) -> None:
        """Write nothing more."""
        if self._out is not None:
            self.done()
            self._out.close()
            self._out = None

    def scenario(self, name: str) -> None:
        """What follows belongs to this scenario."""
        self._scenario = name
        self._began_s = time.monotonic()

    def doing(self, what: str) -> None:
        """What is being done now."""
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
