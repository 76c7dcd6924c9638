"""The harness's side of the generator process: start it, give orders, hear reports, end it."""

import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from harness.errors import LoadError
from harness.load import Loaded, Progress
from harness.load.messages import Command, Order, results
from harness.load.pipe import Pipe, start_process
from harness.load.plan import Plan
from harness.load.profile import MOST_RPS

__all__ = ["LoadProcess", "start_process"]

_START_S = 30.0  # for Python and its imports, on a busy machine
_WRITE_S = 30.0  # for the rows, after the last deadline
_RATE_S = 5.0  # for a new rate to be taken up; usual are 1 to 2 ms
_LEAD_S = 0.1  # from the order to begin to the first send, so that the order is there in time


class LoadProcess:
    """A generator in a process of its own; as a context manager it leaves none behind.

    Several may run side by side: each has its own directory, and its own ``id_prefix``.
    Files, all in the given directory: ``load.npz`` (rows), ``load.stderr``.
    """

    def __init__(self, process: subprocess.Popen[bytes], plan: Plan, directory: Path) -> None:
        self.plan = plan
        self._pipe = Pipe(process, directory)
        self._directory = directory
        self._began_s: float | None = None
        self._rate_rps: float | None = None  # as last told; None: the plan's own
        self._changing = threading.Lock()

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
            load._pipe.tell(Order(plan, directory.absolute(), connect_s))
            load._pipe.heard("ready", _START_S + connect_s)
        except BaseException:  # whatever happens, no process stays behind
            load.end()
            raise
        return load

    @property
    def pid(self) -> int:
        """The generator's process id."""
        return self._pipe.pid

    @property
    def rate_rps(self) -> float:
        """What it is to offer now."""
        if self._rate_rps is not None:
            return self._rate_rps
        if self._began_s is None:
            return self.plan.rate_rps
        return self.plan.offered.rate_at(max(0.0, time.monotonic() - self._began_s))

    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._pipe.is_running()

    def stderr(self) -> str:
        """The end of what it wrote to stderr."""
        return self._pipe.tail()

    def begin(self) -> float:
        """Start offering load; the monotonic time in seconds of the first intended send."""
        self._began_s = time.monotonic() + _LEAD_S
        self._pipe.tell(Command("begin", self._began_s))
        return self._began_s

    def set_rate(self, rate_rps: float) -> float:
        """Offer one constant rate from now on, 0 to pause; what a profile had planned is over.

        The generator sets the instant itself, a few milliseconds after this call, so that nothing
        is due before it knows of it; returned as monotonic seconds, and kept in ``Generator``.
        Raises LoadError before ``begin``, and for a rate that cannot be meant.
        """
        if self._began_s is None:
            raise LoadError("a rate was set before the load began; call begin() first")
        if not 0 <= rate_rps <= MOST_RPS:
            raise LoadError(f"expected a rate of 0 to {MOST_RPS:g} rps, got {rate_rps!r}")
        with self._changing:
            self._pipe.forget("rate")
            self._pipe.tell(Command("rate", rate_rps=rate_rps))
            change = self._pipe.heard("rate", _RATE_S).change
            if change is None:
                raise LoadError("the load generator did not say when it changed its rate")
            self._rate_rps = rate_rps
        return change.at_s

    def progress(self) -> Progress:
        """Tell the last report, without waiting for a new one; LoadError if the process died."""
        last = self._pipe.last("done", "progress")
        return Progress() if last is None or last.progress is None else last.progress

    def stop(self) -> Loaded:
        """Offer nothing more, wait for what is in flight, and hand everything over."""
        self._pipe.tell(Command("stop"))
        done = self._pipe.heard("done", self.plan.deadline_s + _WRITE_S)
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
        self._pipe.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
