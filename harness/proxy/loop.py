"""One thread, one epoll: sockets that are ready, timers that are due, calls from other threads."""

import heapq
import itertools
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")
Handler = Callable[[int], None]

BUFFER_BYTES = 256 * 1024
_EVENTS_AT_ONCE = 256


class Timer:
    """A callback that is due at a monotonic time; ``cancel`` makes it one that never runs."""

    __slots__ = ("callback", "due_s")

    def __init__(self, due_s: float, callback: Callable[[], None]) -> None:
        self.due_s = due_s
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Never run it."""
        self.callback = None


class Loop:
    """The thread that calls ``run`` owns every proxy; others reach them through ``ask``."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(BUFFER_BYTES))
        self.held_bytes = 0
        """What all links together hold back."""
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._calls: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.get_ident()
        self.watch(self._wake, select.EPOLLIN, self._woken)

    def watch(self, fd: int, events: int, handler: Handler) -> None:
        """Call the handler with the events that a file descriptor is ready for."""
        if fd in self._handlers:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._handlers[fd] = handler

    def unwatch(self, fd: int) -> None:
        """Hear no more of a file descriptor; to be called before it is closed."""
        if self._handlers.pop(fd, None):
            self._epoll.unregister(fd)

    def after(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call back once, this much later; epoll rounds up to the millisecond."""
        timer = Timer(time.monotonic() + delay_s, callback)
        heapq.heappush(self._timers, (timer.due_s, next(self._order), timer))
        return timer

    def post(self, call: Callable[[], None]) -> None:
        """Have a call made by the loop's thread, from any thread."""
        self._calls.append(call)
        os.eventfd_write(self._wake, 1)

    def ask(self, question: Callable[[], Answer], timeout_s: float) -> Answer:
        """Have a question answered by the loop's thread, from another one.

        Raises what the question raises, and TimeoutError if the loop does not come to it.
        """
        answer: Future[Answer] = Future()

        def reply() -> None:
            if not answer.set_running_or_notify_cancel():
                return  # whoever asked has given up
            try:
                answer.set_result(question())
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
                answer.set_exception(error)

        self.post(reply)
        try:
            return answer.result(timeout_s)
        finally:
            answer.cancel()

    def run(self) -> None:
        """Serve for ever."""
        handlers, poll = self._handlers, self._epoll.poll
        while True:
            for fd, events in poll(self._wait_s(), _EVENTS_AT_ONCE):
                handler = handlers.get(fd)
                if handler:
                    handler(events)
            if self._timers:
                self._run_timers()

    def _wait_s(self) -> float | None:
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)
        return max(0.0, timers[0][0] - time.monotonic()) if timers else None

    def _run_timers(self) -> None:
        """Those due now; one that they start is for the next turn, so that sockets get theirs."""
        timers, now_s, last = self._timers, time.monotonic(), next(self._order)
        while timers and timers[0][0] <= now_s and timers[0][1] < last:
            callback = heapq.heappop(timers)[2].callback
            if callback:
                callback()

    def _woken(self, _events: int) -> None:
        os.eventfd_read(self._wake)
        for _ in range(len(self._calls)):
            self._calls.popleft()()
