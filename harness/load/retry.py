"""How long a caller waits before it tries again, and how many tries it may make in all."""

from collections import deque

import numpy as np

from harness.load.plan import RetryPolicy

_SLICES = 10  # of a time to live, as in Finagle's WindowedAdder


def backoff_s(policy: RetryPolicy, seed: int, request: int, attempt: int) -> float:
    """Seconds to wait after this attempt (from 1) of this request: the same again for a seed.

    Drawn for each request alone, because outcomes come in an order that no seed decides.
    """
    cap = policy.initial_backoff_s * policy.backoff_multiplier ** (attempt - 1)
    fraction = np.random.default_rng((seed, 2, request, attempt)).random()
    return float(fraction) * min(cap, policy.max_backoff_s)


class Budget:
    """Finagle's retry budget: within ``ttl``, retries <= ratio x requests + min_per_s x ttl.

    Deposits and withdrawals are summed in ten slices of ``ttl`` and expire with their slice.
    Source: com.twitter.finagle.service.RetryBudget and com.twitter.util.TokenBucket.newLeakyBucket.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._ratio = policy.budget_ratio
        self._reserve = policy.budget_min_per_s * policy.budget_ttl_s
        self._slice_s = policy.budget_ttl_s / _SLICES
        self._slices: deque[tuple[int, float]] = deque()  # (which slice, its balance in retries)
        self._balance = self._reserve
        self.refused = 0

    def deposit(self, now_s: float) -> None:
        """Let a new request pay for its share of a retry."""
        self._add(now_s, self._ratio)

    def withdraw(self, now_s: float) -> bool:
        """Whether one more retry is allowed; if so it is spent, otherwise counted as refused."""
        self._expire(now_s)
        if self._balance < 1 - 1e-9:  # five deposits of 0.2 are meant to be worth one retry
            self.refused += 1
            return False
        self._add(now_s, -1.0)
        return True

    def _add(self, now_s: float, amount: float) -> None:
        self._expire(now_s)
        index = int(now_s / self._slice_s)
        if self._slices and self._slices[-1][0] == index:
            amount_so_far = self._slices.pop()[1]
            self._slices.append((index, amount_so_far + amount))
        else:
            self._slices.append((index, amount))
        self._balance += amount

    def _expire(self, now_s: float) -> None:
        oldest = int(now_s / self._slice_s) - _SLICES
        if self._slices and self._slices[0][0] <= oldest:
            while self._slices and self._slices[0][0] <= oldest:
                self._slices.popleft()
            # Summed anew, so that rounding does not add up over a long run.
            self._balance = self._reserve + sum(amount for _, amount in self._slices)
