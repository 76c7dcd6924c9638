"""The pipe to a generator process: orders go in, reports come out, and its death is noticed."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec

from harness.errors import LoadError
from harness.load.messages import Command, Order, Report, line, report, results

_END_S = 2.0  # for the generator to end by itself
_TAIL_CHARACTERS = 2000


class Pipe:
    """One generator process and the last report of each kind that it gave."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path) -> None:
        self._process = process
        self._directory = directory
        self._news = threading.Condition()
        self._last: dict[str, Report] = {}
        self._silent = False  # it closed its stdout: it has ended, or soon will
        self._listener = threading.Thread(target=self._listen, name="load-reports", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The generator's process id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def tell(self, message: Order | Command) -> None:
        """Give an order. Raises LoadError if nobody is there to take it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line(message))
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:  # ValueError: we closed it ourselves
            raise self._death("an order") from error

    def last(self, *kinds: str) -> Report | None:
        """The last report of the first of these kinds that there is. LoadError if it died."""
        with self._news:
            self._refuse_silence(kinds[-1])
            return next((self._last[kind] for kind in kinds if kind in self._last), None)

    def forget(self, kind: str) -> None:
        """Have ``heard`` wait for a new report of a kind that may come more than once."""
        with self._news:
            self._last.pop(kind, None)

    def heard(self, kind: str, timeout_s: float) -> Report:
        """Wait for a report. Raises LoadError if it does not come in time, or never will."""
        with self._news:
            self._news.wait_for(lambda: kind in self._last or self._silent, timeout_s)
            self._refuse_silence(kind)
            if kind not in self._last:
                raise LoadError(
                    f"the load generator did not say {kind!r} within {timeout_s:g} s; "
                    f"its stderr: {self.tail()}"
                )
            return self._last[kind]

    def end(self) -> None:
        """Leave no process behind, whatever it was doing; may be called again."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it had ended before it read its last order
            self._process.stdin.close()  # upon which it ends by itself
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()

    def tail(self) -> str:
        """The end of what it wrote to stderr."""
        text = _stderr(self._directory).read_text(errors="replace").strip()
        return text[-_TAIL_CHARACTERS:] or "(empty)"

    def _refuse_silence(self, wanted: str) -> None:
        if "failed" in self._last:
            raise LoadError(self._last["failed"].error)
        if self._silent and "done" not in self._last:
            raise self._death(wanted)

    def _death(self, wanted: str) -> LoadError:
        try:
            status = self._process.wait(_END_S)
            how = f"died with exit status {status}"
        except subprocess.TimeoutExpired:
            how = "closed its output"
        return LoadError(f"the load generator {how} before {wanted!r}; its stderr: {self.tail()}")

    def _listen(self) -> None:
        """Keep the last report of each kind; runs in a thread, so that the pipe never fills."""
        assert self._process.stdout is not None
        with self._process.stdout as reports:
            for text in reports:
                try:
                    heard = report(text)
                except msgspec.DecodeError:
                    continue  # something printed to stdout; what counts is what comes after
                with self._news:
                    self._last[heard.kind] = heard
                    self._news.notify_all()
        with self._news:
            self._silent = True
            self._news.notify_all()


def start_process(directory: Path) -> subprocess.Popen[bytes]:
    """Start a generator that waits for its order; its files go into the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    results(directory).unlink(missing_ok=True)
    with _stderr(directory).open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "harness.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for the harness, which then stops the load
        )


def _stderr(directory: Path) -> Path:
    return directory / "load.stderr"
