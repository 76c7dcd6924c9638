"""Capacity is the highest sustained rate, looked for from below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capacity import GROWTH, NARROWINGS, find
from harness.errors import PlatformError


@given(st.floats(6, 20_000), st.floats(10, 500))
def test_it_is_found_from_below(true_rps: float, first_rps: float) -> None:
    """What is found is sustained, and less than one narrowed step below the truth."""
    found = find(lambda rate_rps: rate_rps <= true_rps, first_rps)

    assert found.rps <= true_rps
    assert true_rps <= found.rps * GROWTH ** (1 / 2**NARROWINGS) * 1.000001


def test_overload_is_never_far() -> None:
    """No step goes beyond half as much again as what was sustained before it."""
    found = find(lambda rate_rps: rate_rps <= 700, 150)

    sustained = 0.0
    for rate_rps, good in found.steps:
        assert sustained == 0 or rate_rps <= sustained * GROWTH * 1.000001
        sustained = max(sustained, rate_rps if good else 0.0)


def test_a_limit_is_kept() -> None:
    """Where everything is sustained the search ends at the limit of the generator."""
    assert find(lambda _: True, 150, most_rps=1000).rps == 1000


def test_nothing_is_sustained() -> None:
    """A service that answers nobody has no capacity, and the error says where to look."""
    with pytest.raises(PlatformError, match=r"expected the service to sustain 5 requests"):
        find(lambda _: False, 150)


def test_one_stall_caps_nothing() -> None:
    """A rate that fails once, and is sustained when it is tried again, is sustained."""
    stalls = iter([True])

    def sustains(rate_rps: float) -> bool:
        return rate_rps <= 700 and not (rate_rps > 100 and next(stalls, False))

    assert find(sustains, 150).rps > 700 / 1.06
