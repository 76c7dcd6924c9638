"""Admits a bounded number of requests and refuses the rest at once, while it is still cheap."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

WORK_LIMIT = 64
"""Requests that may be on their way to the model. With 0.2 ms each, the last one waits 15 ms; more
would add to the wait of all and to the goodput of none (Little's law)."""


class Place:
    """The place of one admitted request."""

    __slots__ = ("_admission", "_is_at_work")

    def __init__(self, admission: "Admission") -> None:
        self._admission = admission
        self._is_at_work = True
        admission.in_flight += 1
        admission.at_work += 1

    def work_is_done(self) -> None:
        """Tell that the request needs the processor no more; it only waits for its record."""
        if self._is_at_work:
            self._is_at_work = False
            self._admission.at_work -= 1

    def leave(self) -> None:
        """Give the place back, once."""
        self.work_is_done()
        self._admission.in_flight -= 1


class Admission:
    """Counts the requests that were admitted and are not answered yet.

    Two bounds, for two kinds of waiting. Those who still need the processor wait for one another:
    few may. Those whose record is being written wait together for one commit, however many they
    are: the larger bound, over the whole stay, is for memory, and for a database that is slow.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self.at_work = 0
        self._last_arrival_s = time.monotonic()
        self._work = asyncio.Lock()

    def enter(self) -> Place | None:
        """Take a place if there is one; who enters must leave."""
        return None if self.is_full() else Place(self)

    def is_full(self) -> bool:
        """Hear that somebody calls, and tell whether there is no place."""
        self._last_arrival_s = time.monotonic()
        return self.in_flight >= self.limit or self.at_work >= WORK_LIMIT

    def quiet_s(self) -> float:
        """Tell for how long nobody has called."""
        return time.monotonic() - self._last_arrival_s

    @asynccontextmanager
    async def turn_to_work(self) -> AsyncIterator[None]:
        """Work one at a time, in order, and between two pieces hear who calls.

        One turn of the event loop reads all that has arrived: it is admitted or refused at once,
        and a cancellation that is already here throws us out before the work.
        """
        async with self._work:
            await asyncio.sleep(0)
            yield
