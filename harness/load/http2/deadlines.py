"""The deadlines of all calls, watched by one timer of the event loop.

A heap costs less than a timer for each call: most calls end long before their deadline, and the
timer wakes only about once a deadline to find that.
"""

import asyncio
import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

from harness.load.http2.calls import Call

_LEAST = 1024  # entries before those of ended calls are thrown out


class Deadlines:
    """Calls back with each call that has no outcome at its deadline."""

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[Call], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._heap: list[tuple[float, int, Call]] = []
        self._order = count()  # so that calls themselves are never compared
        self._room = _LEAST
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_s = math.inf

    def watch(self, call: Call) -> None:
        """Watch one more call."""
        heappush(self._heap, (call.deadline_s, next(self._order), call))
        if call.deadline_s < self._wakes_s:
            self._wake_at(call.deadline_s)
        if len(self._heap) > self._room:
            self._heap = [entry for entry in self._heap if not entry[2].is_over]
            heapify(self._heap)
            self._room = max(_LEAST, 2 * len(self._heap))

    def close(self) -> None:
        """Call back no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._heap.clear()

    def _wake_at(self, time_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_s = time_s
        self._timer = self._loop.call_at(time_s, self._wake)  # loop.time is time.monotonic

    def _wake(self) -> None:
        heap, now_s = self._heap, self._loop.time()
        self._timer, self._wakes_s = None, math.inf
        while heap and (heap[0][0] <= now_s or heap[0][2].is_over):
            call = heappop(heap)[2]
            if not call.is_over:
                self._passed(call)
        if heap and heap[0][0] < self._wakes_s:
            self._wake_at(heap[0][0])
