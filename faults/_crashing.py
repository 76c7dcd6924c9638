"""Ends whatever fills a place, a while after each start, again and again."""

import threading
import time
from types import TracebackType
from typing import Self

from harness.errors import FaultError, MayflyError
from harness.platform import Succeeded

_POLL_S = 0.02  # nothing tells the harness' faults that a place has been filled
_JOIN_S = 30.0  # an order that the engine is still carrying out


class Crashing:
    """While the block runs, what is in the target's place is killed ``after_s`` after its start."""

    def __init__(self, target: Succeeded, after_s: float) -> None:
        self._target = target
        self._after_s = after_s
        self._healed = threading.Event()
        self._error: MayflyError | None = None
        self._thread = threading.Thread(target=self._run, name=f"crash-{target.name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._healed.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise FaultError(
                f"the crash loop of {self._target.name} did not end within {_JOIN_S:g} s: the "
                "engine is still at its last order; see whether it answers"
            )

    def check(self) -> None:
        """Raise what kept it from killing, if anything did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._healed.is_set():
                self._crash()
        except MayflyError as error:
            self._error = error

    def _crash(self) -> None:
        incumbent = self._target.lineage()[-1]
        started_s = incumbent.started_s()
        if started_s is None or incumbent.end() is not None:
            self._healed.wait(_POLL_S)
            return
        if self._healed.wait(max(started_s + self._after_s - time.monotonic(), 0.0)):
            return
        try:
            incumbent.kill()
        except FaultError:
            if incumbent.is_running():  # else it had ended by itself, which is as good
                raise
        self._healed.wait(_POLL_S)
