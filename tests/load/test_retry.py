"""Retries are bounded: by a budget over time, and in how long they wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.plan import RetryPolicy
from harness.load.retry import Budget, backoff_s


def allowed(budget: Budget, calls: int, rate_rps: float, from_s: float = 0.0) -> int:
    """Count the retries allowed if each of these calls asks for two, on a virtual clock."""
    granted = 0
    for n in range(calls):
        now_s = from_s + n / rate_rps
        budget.deposit(now_s)
        granted += budget.withdraw(now_s) + budget.withdraw(now_s)
    return granted


def test_a_storm_gets_the_ratio_and_the_reserve() -> None:
    """If everything fails for one time to live, retries are 20 % of the calls and 10 a second."""
    assert pytest.approx(allowed(Budget(RetryPolicy()), 1999, 200.0), abs=1) == 0.2 * 1999 + 100


def test_refusals_are_counted() -> None:
    """Each retry that the budget did not allow is counted."""
    budget = Budget(RetryPolicy())
    granted = allowed(budget, 1000, 200.0)

    assert 2000 - granted == budget.refused


def test_the_reserve_comes_back_after_its_time() -> None:
    """A spent reserve is whole again one time to live later, without any call."""
    budget = Budget(RetryPolicy())
    assert sum(budget.withdraw(0.0) for _ in range(200)) == 100
    assert not budget.withdraw(9.0)

    assert sum(budget.withdraw(10.0) for _ in range(200)) == 100


def test_deposits_expire() -> None:
    """Calls of long ago pay for no retry now."""
    budget = Budget(RetryPolicy(budget_min_per_s=0.0))
    for _ in range(1000):
        budget.deposit(0.0)

    assert not budget.withdraw(10.0)


def test_five_calls_pay_for_exactly_one_retry() -> None:
    """At a ratio of 0.2 and without reserve the fifth call brings the first retry."""
    budget = Budget(RetryPolicy(budget_min_per_s=0.0))
    granted = []
    for _ in range(10):
        budget.deposit(1.0)
        granted.append(budget.withdraw(1.0))

    assert granted == [False] * 4 + [True] + [False] * 4 + [True]


@given(
    ratio=st.floats(0, 2),
    reserve=st.floats(0, 50),
    steps=st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200),
)
def test_no_window_exceeds_the_budget(
    ratio: float, reserve: float, steps: list[tuple[float, bool]]
) -> None:
    """Whatever comes when, from any start retries <= reserve x windows + ratio x calls."""
    budget = Budget(RetryPolicy(budget_ratio=ratio, budget_min_per_s=reserve, budget_ttl_s=10.0))
    now_s, calls, granted = 0.0, 0, 0
    for pause_s, is_call in steps:
        now_s += pause_s
        if is_call:
            budget.deposit(now_s)
            calls += 1
        else:
            granted += budget.withdraw(now_s)

    windows = now_s / (0.9 * 10.0) + 1  # a slice begun is a slice spent: nine tenths are sure
    assert granted <= reserve * 10.0 * windows + ratio * calls + 1e-6


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(0, 100))
def test_backoff_is_jittered_within_its_cap_and_repeatable(n: int, attempt: int, seed: int) -> None:
    """The wait lies in [0, min(0.1 x 2^(attempt - 1), 1)) and is the same for the same seed."""
    policy = RetryPolicy()
    found = backoff_s(policy, seed, n, attempt)

    assert 0 <= found < min(0.1 * 2 ** (attempt - 1), 1.0)
    assert found == backoff_s(policy, seed, n, attempt)
