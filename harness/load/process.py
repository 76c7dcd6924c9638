"""The harness's side of the generator process: start it, give orders, hear reports, end it."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from harness.errors import LoadError
from harness.load import Loaded, Progress
from harness.load.messages import Command, Order, Report, line, report, results
from harness.load.plan import Plan

_START_S = 30.0  # for Python and its imports, on a busy machine
_WRITE_S = 30.0  # for the rows, after the last deadline
_LEAD_S = 0.1  # from the order to begin to the first send, so that the order is there in time
_END_S = 2.0  # for the generator to end by itself
_TAIL_CHARACTERS = 2000


class LoadProcess:
    """A generator in a process of its own; as a context manager it leaves none behind.

    Files, all in the given directory: ``load.npz`` (rows), ``load.stderr``.
    """

    def __init__(self, process: subprocess.Popen[bytes], plan: Plan, directory: Path) -> None:
        self._process = process
        self._plan = plan
        self._directory = directory
        self._news = threading.Condition()
        self._last: dict[str, Report] = {}  # the last report of each kind
        self._silent = False  # it closed its stdout: it has ended, or soon will
        self._listener = threading.Thread(target=self._listen, name="load-reports", daemon=True)
        self._listener.start()

    @classmethod
    def spawn(cls, plan: Plan, directory: Path, connect_s: float = 10.0) -> Self:
        """Start a generator that is connected and ready to begin.

        Raises LoadError if it has no connection within ``connect_s``, or cannot start.
        """
        return cls.order(start_process(directory), plan, directory, connect_s)

    @classmethod
    def order(
        cls,
        process: subprocess.Popen[bytes],
        plan: Plan,
        directory: Path,
        connect_s: float = 10.0,
    ) -> Self:
        """Give a process from ``start_process`` its order; as ``spawn`` from there on."""
        load = cls(process, plan, directory)
        try:
            load._tell(Order(plan, directory.absolute(), connect_s))
            load._await("ready", _START_S + connect_s)
        except BaseException:  # whatever happens, no process stays behind
            load.end()
            raise
        return load

    @property
    def pid(self) -> int:
        """The generator's process id."""
        return self._process.pid

    def begin(self) -> float:
        """Start offering load; the monotonic time in seconds of the first intended send."""
        at_s = time.monotonic() + _LEAD_S
        self._tell(Command("begin", at_s))
        return at_s

    def progress(self) -> Progress:
        """Tell the last report, without waiting for a new one; LoadError if the process died."""
        with self._news:
            self._refuse_silence("progress")
            last = self._last.get("done") or self._last.get("progress")
        return Progress() if last is None or last.progress is None else last.progress

    def stop(self) -> Loaded:
        """Offer nothing more, wait for what is in flight, and hand everything over."""
        self._tell(Command("stop"))
        done = self._await("done", self._plan.deadline_s + _WRITE_S)
        if done.generator is None or done.conditions is None:
            raise LoadError(f"the load generator's last report lacks its figures: {done}")
        try:
            with np.load(results(self._directory), allow_pickle=False) as rows:
                requests, attempts = rows["requests"], rows["attempts"]
        except (OSError, ValueError, KeyError) as error:
            raise LoadError(
                f"the load generator's rows cannot be read: {error}; is the disk full?"
            ) from error
        self.end()
        return Loaded(requests, attempts, done.generator, done.conditions)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def _tell(self, message: Order | Command) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line(message))
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:  # ValueError: we closed it ourselves
            raise self._death("an order") from error

    def _await(self, kind: str, timeout_s: float) -> Report:
        with self._news:
            self._news.wait_for(lambda: kind in self._last or self._silent, timeout_s)
            self._refuse_silence(kind)
            if kind not in self._last:
                raise LoadError(
                    f"the load generator did not say {kind!r} within {timeout_s:g} s; "
                    f"its stderr: {self._tail()}"
                )
            return self._last[kind]

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
        return LoadError(f"the load generator {how} before {wanted!r}; its stderr: {self._tail()}")

    def _tail(self) -> str:
        text = _stderr(self._directory).read_text(errors="replace").strip()
        return text[-_TAIL_CHARACTERS:] or "(empty)"

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
