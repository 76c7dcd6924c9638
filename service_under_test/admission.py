"""Admits a bounded number of requests and refuses the rest at once, while it is still cheap."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BUSY_FROM = 3  # requests in flight; below, nobody waits behind the work
LOOKS_PER_ARRIVAL = 3  # turns of the event loop that gRPC needs to hand over a call
ARRIVALS_PER_TURN = 8  # so that a flood of calls to refuse does not stop the work


class Admission:
    """Counts the requests that were admitted and are not answered yet.

    The bound covers the whole stay (cache, inference, record): whatever is slow, no more than
    `limit` callers wait for it, so those who were admitted are answered in time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self._arrivals = 0
        self._last_arrival_s = time.monotonic()
        self._work = asyncio.Lock()

    def enter(self) -> bool:
        """Take a place if there is one; who enters must leave."""
        self._arrivals += 1
        self._last_arrival_s = time.monotonic()
        if self.in_flight >= self.limit:
            return False
        self.in_flight += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1

    def quiet_s(self) -> float:
        """Tell for how long nobody has called."""
        return time.monotonic() - self._last_arrival_s

    @asynccontextmanager
    async def turn_to_work(self) -> AsyncIterator[None]:
        """Work one at a time, in order, and only when the calls at the door have come in.

        gRPC keeps calls that were not handed over yet in a queue without bound. If work went
        first, overload would gather there, unseen and unrefused, until every deadline had passed.
        """
        async with self._work:
            for _ in range(ARRIVALS_PER_TURN if self.in_flight >= BUSY_FROM else 0):
                seen = self._arrivals
                for _ in range(LOOKS_PER_ARRIVAL):
                    await asyncio.sleep(0)
                if self._arrivals == seen:
                    break
            yield
