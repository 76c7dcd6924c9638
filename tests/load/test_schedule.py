"""Schedules are right in rate, endless, and the same again for the same seed."""

from itertools import islice

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.load.plan import Schedule
from harness.load.schedule import CHUNK, offsets

RATES = st.floats(min_value=0.1, max_value=10_000)
SEEDS = st.integers(min_value=0, max_value=2**63)
KINDS = st.sampled_from(["constant", "poisson"])


def first(kind: Schedule, rate_rps: float, seed: int, count: int) -> list[float]:
    """Take the first offsets of a schedule."""
    return list(islice(offsets(kind, rate_rps, seed), count))


@settings(max_examples=50)
@given(kind=KINDS, rate=RATES, seed=SEEDS)
def test_a_schedule_repeats_itself_and_never_goes_back(
    kind: Schedule, rate: float, seed: int
) -> None:
    """The same seed gives the same instants, from 0 on, ascending across chunks."""
    found = first(kind, rate, seed, CHUNK + 2)

    assert found == first(kind, rate, seed, CHUNK + 2)
    assert found[0] == 0
    assert bool(np.all(np.diff(found) >= 0))


@settings(max_examples=50)
@given(rate=RATES)
def test_a_constant_schedule_does_not_drift(rate: float) -> None:
    """The nth request is at n / rate exactly, however large n is."""
    assert (CHUNK * 3 + 1) / rate == first("constant", rate, 1, CHUNK * 3 + 2)[-1]


@settings(max_examples=20)
@given(seed=st.integers(min_value=0, max_value=50))
def test_a_poisson_schedule_has_the_rate_and_the_spread(seed: int) -> None:
    """Gaps have the mean of the rate, and a standard deviation of their mean (5 sigma)."""
    count = CHUNK * 4
    gaps = np.diff(first("poisson", 100.0, seed, count))

    assert abs(gaps.mean() - 0.01) < 5 * 0.01 / count**0.5
    assert abs(gaps.std() - 0.01) < 5 * 0.01 * (2 / count) ** 0.5


def test_seeds_differ() -> None:
    """Two generators with different seeds do not send in step."""
    assert first("poisson", 100.0, 1, 100) != first("poisson", 100.0, 2, 100)
