"""Capacity is the highest sustained rate, or what is reached beyond it, looked for from below."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capacity import GROWTH, NARROWINGS, Capacity, Look, find
from harness.errors import PlatformError


def up_to(true_rps: float) -> Callable[[float], Look]:
    """A service that answers so much and refuses the rest."""
    return lambda rate_rps: Look(rate_rps <= true_rps, min(rate_rps, true_rps * 0.9))


@given(st.floats(6, 20_000), st.floats(10, 500))
def test_it_is_found_from_below(true_rps: float, first_rps: float) -> None:
    """What is found is sustained, and less than one narrowed step below the truth."""
    found = find(up_to(true_rps), first_rps)

    assert found.sustained_rps <= true_rps
    assert true_rps <= found.sustained_rps * GROWTH ** (1 / 2**NARROWINGS) * 1.000001


def test_overload_is_never_far() -> None:
    """No step but the last goes beyond half as much again as what was sustained before it."""
    found = find(up_to(700), 150)

    sustained = 0.0
    for rate_rps, good in found.steps[:-1]:
        assert sustained == 0 or rate_rps <= sustained * GROWTH * 1.000001
        sustained = max(sustained, rate_rps if good else 0.0)


def test_a_limit_is_kept() -> None:
    """Where everything is sustained the search ends at the limit of the generator."""
    assert find(up_to(1e9), 150, most_rps=1000).sustained_rps == 1000


def test_nothing_is_sustained() -> None:
    """A service that answers nobody has no capacity, and the error says where to look."""
    with pytest.raises(PlatformError, match=r"expected the service to sustain 5 requests"):
        find(up_to(0), 150)


def test_one_stall_caps_nothing() -> None:
    """A rate that fails once, and is sustained when it is tried again, is sustained."""
    stalls = iter([True])

    def look(rate_rps: float) -> Look:
        return up_to(0 if rate_rps > 100 and next(stalls, False) else 700)(rate_rps)

    assert find(look, 150).sustained_rps > 700 / 1.06


def test_what_batches_reach() -> None:
    """Who loses some from 700 on, and yet answers 1,100 when twice as much is asked, has 1,100."""
    found = find(lambda rate_rps: Look(rate_rps <= 700, min(rate_rps, 1100.0)), 200)

    assert found.steps[-1] == (pytest.approx(2 * 1012.5), False)
    assert found.reached_rps == 1100
    assert found.sustained_rps <= 700


def test_no_more_than_was_offered() -> None:
    """Answers to what was sent before do not make the capacity higher than any rate tried."""
    found = find(lambda rate_rps: Look(rate_rps <= 700, 5000.0), 150)

    assert found.reached_rps <= max(rate_rps for rate_rps, _ in found.steps)


def test_multiples() -> None:
    """Less than the capacity is a share of what is sustained; twice of it, of what is reached."""
    found = Capacity(700, 800, ())

    assert found.multiple_rps(0.5) == 350
    assert found.multiple_rps(2) == 1600
    for factor in (0.8, 1, 3):
        assert found.factor(found.multiple_rps(factor)) == pytest.approx(factor)
