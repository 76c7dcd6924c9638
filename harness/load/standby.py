"""One generator started ahead: its interpreter is there before the scenario that needs it."""

import subprocess
import tempfile
from pathlib import Path

from harness.load.plan import Plan
from harness.load.process import LoadProcess, start_process


class Standby:
    """Gives out load processes, and keeps the next one waiting for its order.

    Python and its imports take half a second, which no scenario has to wait for.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mayfly-load-")
        self._count = 0
        self._waiting: tuple[subprocess.Popen[bytes], Path] | None = None

    def prepare(self) -> None:
        """Start the next process, unless one waits already."""
        if self._waiting is None:
            self._count += 1
            directory = Path(self._folder.name) / str(self._count)
            self._waiting = start_process(directory), directory

    def spawn(self, plan: Plan) -> LoadProcess:
        """A generator that is connected and ready to begin. Raises LoadError."""
        self.prepare()
        assert self._waiting is not None
        process, directory = self._waiting
        self._waiting = None
        return LoadProcess.order(process, plan, directory)

    def close(self) -> None:
        """End what waits, and remove the files of all that ran."""
        if self._waiting is not None:
            process, _ = self._waiting
            process.communicate()  # closes its stdin, upon which it ends
            self._waiting = None
        self._folder.cleanup()
