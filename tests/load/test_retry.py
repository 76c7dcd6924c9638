"""Retries are bounded: by a budget over time, and in how long they wait."""

from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.plan import RetryPolicy
from harness.load.retry import Budget, backoff_s


def outage(budget: Budget, rate_rps: float, steady_s: float, outage_s: float) -> list[float]:
    """Play an outage of everything after a steady time, on a virtual clock: instants of retries.

    Each call is tried three times if the budget allows; attempts fail at once and retries wait as
    long as the default policy lets them, so that they crowd as much as they can.
    """
    heap = [(n / rate_rps, 1) for n in range(int((steady_s + outage_s) * rate_rps))]  # in order
    policy, retries = RetryPolicy(), list[float]()
    for order in count():
        if not heap:
            return retries
        now_s, attempt = heappop(heap)
        if attempt == 1:
            budget.deposit(now_s)
        if now_s >= steady_s and attempt < policy.attempts and budget.withdraw(now_s):
            again_s = now_s + backoff_s(policy, 1, order, attempt)
            retries.append(again_s)
            heappush(heap, (again_s, attempt + 1))
    raise AssertionError


@pytest.mark.parametrize("steady_s", [0, 3, 20])
@pytest.mark.parametrize("rate_rps", [50, 100, 200, 500])
def test_an_outage_is_no_storm_after_a_second(rate_rps: int, steady_s: int) -> None:
    """From 1 s into 30 s of failure on, attempts are at most 1.2 for a call, up to any instant."""
    retries = outage(Budget(RetryPolicy()), rate_rps, steady_s, 30)
    from_s = steady_s + 1.0
    later = [each for each in retries if each >= from_s]

    for until_s in range(steady_s + 2, steady_s + 31):
        calls = rate_rps * (until_s - from_s)
        extra = sum(each < until_s for each in later)
        assert (calls + extra) / calls <= 1.2
    assert len(later) >= 0.09 * rate_rps * 29  # and callers do try again


def test_what_is_saved_up_is_there_at_once() -> None:
    """After 10 s at 200 rps, a burst of failures finds 200 retries; at the start, the reserve."""
    budget = Budget(RetryPolicy())
    assert sum(budget.withdraw(0.0) for _ in range(200)) == 50
    for n in range(4000):
        budget.deposit(n / 200)

    assert sum(budget.withdraw(20.0) for _ in range(1000)) == pytest.approx(200, abs=20)


def test_refusals_are_counted() -> None:
    """Each retry that the budget did not allow is counted."""
    budget = Budget(RetryPolicy())
    granted = sum(budget.withdraw(0.0) for _ in range(1000))

    assert 1000 - granted == budget.refused


def test_time_alone_brings_no_retry() -> None:
    """A spent reserve does not come back by itself: only calls pay for retries."""
    budget = Budget(RetryPolicy())
    while budget.withdraw(0.0):
        pass

    assert not budget.withdraw(1000.0)


def test_savings_expire() -> None:
    """Calls of long ago pay for no retry now."""
    budget = Budget(RetryPolicy(budget_reserve=0.0))
    for _ in range(1000):
        budget.deposit(0.0)

    assert not budget.withdraw(10.0)


def test_ten_calls_pay_for_exactly_one_retry() -> None:
    """At a ratio of 0.1 and without reserve every tenth call brings a retry."""
    budget = Budget(RetryPolicy(budget_reserve=0.0))
    granted = []
    for _ in range(20):
        budget.deposit(1.0)
        granted.append(budget.withdraw(1.0))

    assert granted == ([False] * 9 + [True]) * 2


@given(
    ratio=st.floats(0, 2),
    reserve=st.floats(0, 50),
    steps=st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200),
)
def test_no_window_exceeds_the_budget(
    ratio: float, reserve: float, steps: list[tuple[float, bool]]
) -> None:
    """From any instant on: retries <= what 10 s of calls paid for, or reserve, + ratio x calls."""
    budget = Budget(RetryPolicy(budget_ratio=ratio, budget_reserve=reserve, budget_ttl_s=10.0))
    now_s, calls_s, retries_s = 0.0, list[float](), list[float]()
    for pause_s, is_call in steps:
        now_s += pause_s
        if is_call:
            budget.deposit(now_s)
            calls_s.append(now_s)
        elif budget.withdraw(now_s):
            retries_s.append(now_s)

    for from_s in [0.0, *retries_s]:
        saved = max(reserve, ratio * sum(from_s - 10.0 <= each <= from_s for each in calls_s))
        earned = ratio * sum(each >= from_s for each in calls_s)
        assert sum(each >= from_s for each in retries_s) <= saved + earned + 1e-6


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(0, 100))
def test_backoff_is_jittered_within_its_cap_and_repeatable(n: int, attempt: int, seed: int) -> None:
    """The wait lies in [0, min(0.1 x 2^(attempt - 1), 1)) and is the same for the same seed."""
    policy = RetryPolicy()
    found = backoff_s(policy, seed, n, attempt)

    assert 0 <= found < min(0.1 * 2 ** (attempt - 1), 1.0)
    assert found == backoff_s(policy, seed, n, attempt)
