"""How long a caller waits before it tries again, and how many tries it may make in all."""

from collections import deque

import numpy as np

from harness.load.plan import RetryPolicy

_SLICES = 10  # of a time to live, as in Finagle's WindowedAdder
_NEARLY_ONE = 1 - 1e-9  # ten deposits of 0.1 are meant to be worth one retry


def backoff_s(policy: RetryPolicy, seed: int, request: int, attempt: int) -> float:
    """Seconds to wait after this attempt (from 1) of this request: the same again for a seed.

    Drawn for each request alone, because outcomes come in an order that no seed decides.
    """
    cap = policy.initial_backoff_s * policy.backoff_multiplier ** (attempt - 1)
    fraction = np.random.default_rng((seed, 2, request, attempt)).random()
    return float(fraction) * min(cap, policy.max_backoff_s)


class Budget:
    """A bucket of retries that only requests fill.

    From any instant on, retries are at most what is saved up then + ratio x the requests from then
    on. What may be saved up is what the requests of the last ``ttl`` paid for, or the reserve where
    that is more; the bucket is full at first.

    Finagle's RetryBudget (com.twitter.finagle.service.RetryBudget) has ratio and time to live as
    well, but its reserve of 10 retries a second comes back by itself, beside the ratio: at 50
    requests a second that is another 20 %, for as long as an outage lasts. Here the reserve is
    lent, and paid back out of the ratio. In an outage of everything three attempts want two retries
    a request; what is saved up (ratio x ttl: the requests of one second; the reserve: of one second
    at 50 a second) is gone in little more than half a second, and the ratio alone holds from there.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._ratio = policy.budget_ratio
        self._reserve = self._balance = policy.budget_reserve
        self._slice_s = policy.budget_ttl_s / _SLICES
        self._slices: deque[tuple[int, int]] = deque()  # (which slice, requests in it)
        self._requests = 0  # in all slices
        self.refused = 0

    def deposit(self, now_s: float) -> None:
        """Let a new request pay for its share of a retry."""
        index = int(now_s / self._slice_s)
        requests = self._slices.pop()[1] if self._slices and self._slices[-1][0] == index else 0
        self._slices.append((index, requests + 1))
        self._requests += 1
        self._balance += self._ratio
        self._spill(index)

    def withdraw(self, now_s: float) -> bool:
        """Whether one more retry is allowed; if so it is spent, otherwise counted as refused."""
        self._spill(int(now_s / self._slice_s))
        if self._balance < _NEARLY_ONE:
            self.refused += 1
            return False
        self._balance -= 1.0
        return True

    def _spill(self, index: int) -> None:
        """Keep no more than may be saved up now."""
        while self._slices and self._slices[0][0] <= index - _SLICES:
            self._requests -= self._slices.popleft()[1]
        self._balance = min(self._balance, max(self._reserve, self._ratio * self._requests))
