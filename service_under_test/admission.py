"""Admits a bounded number of requests and refuses the rest at once, while it is still cheap."""

import time


class Admission:
    """Counts the requests that were admitted and are not answered yet.

    The bound covers the whole stay (cache, inference, record): whatever is slow, no more than
    `limit` callers wait for it, so those who were admitted are answered in time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self.last_arrival_s = time.monotonic()

    def enter(self) -> bool:
        """Take a place if there is one; who enters must leave."""
        self.last_arrival_s = time.monotonic()
        if self.in_flight >= self.limit:
            return False
        self.in_flight += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1

    def quiet_s(self) -> float:
        """Tell for how long nobody has called."""
        return time.monotonic() - self.last_arrival_s
