"""Schedules follow their profile exactly, are endless, and the same again for the same seed."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.load.plan import Schedule
from harness.load.profile import Points, Profile
from harness.load.schedule import CHUNK, Timetable

RATES = st.floats(min_value=0.1, max_value=10_000)
SEEDS = st.integers(min_value=0, max_value=2**63)
KINDS = st.sampled_from(["constant", "poisson"])


@st.composite
def profiles(draw: st.DrawFn) -> Points:
    """Polylines with steps, slopes, and stretches at 0; the last rate is above 0."""
    lengths = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 4.0]), max_size=5))
    rates = st.one_of(st.just(0.0), st.floats(min_value=0.5, max_value=500))
    at_s, points = 0.0, [(0.0, draw(rates))]
    for length_s in lengths:
        at_s += length_s
        points.append((at_s, draw(rates)))
    return (*points, (at_s, draw(st.floats(min_value=1, max_value=500))))


def first(kind: Schedule, points: Points, seed: int, count: int) -> list[float]:
    """Take the first offsets of a schedule."""
    table = Timetable(kind, Profile(points), seed)
    return [table.next_s, *(table.advance() for _ in range(count - 1))]


def area(points: Points, until_s: float) -> float:
    """Integrate a polyline by trapezoids, piece by piece, in another way than the code does."""
    total = 0.0
    for (from_s, rate), (to_s, other) in pairwise((*points, (math.inf, points[-1][1]))):
        end_s = min(to_s, until_s)
        if end_s <= from_s:
            continue
        share = (end_s - from_s) / (to_s - from_s)
        total += (end_s - from_s) * (rate + (rate + (other - rate) * share)) / 2
    return total


@settings(max_examples=50)
@given(kind=KINDS, points=profiles(), seed=SEEDS)
def test_a_schedule_repeats_itself_and_never_goes_back(
    kind: Schedule, points: Points, seed: int
) -> None:
    """The same seed gives the same instants, ascending across pieces and chunks."""
    found = first(kind, points, seed, CHUNK + 2)

    assert found == first(kind, points, seed, CHUNK + 2)
    assert found[0] >= 0
    assert bool(np.all(np.diff(found) >= 0))


@settings(max_examples=100)
@given(points=profiles(), until_s=st.floats(min_value=0.1, max_value=25))
def test_constant_spacing_offers_the_integral_of_the_rate(points: Points, until_s: float) -> None:
    """Up to any instant, as many requests are due as the rate's integral says, give or take 1."""
    planned = area(points, until_s)
    found = first("constant", points, 1, int(planned) + 3)
    due = sum(each <= until_s for each in found)

    assert abs(due - planned) <= 1 + 1e-6
    assert math.isclose(Profile(points).count_at(until_s), planned, abs_tol=1e-6)


@settings(max_examples=50)
@given(points=profiles(), seed=st.integers(min_value=0, max_value=1000))
def test_poisson_offers_the_integral_of_the_rate(points: Points, seed: int) -> None:
    """Up to 20 s, a Poisson schedule offers the rate's integral within 6 sigma."""
    planned = area(points, 20.0)
    count = int(planned + 6 * planned**0.5) + 20
    due = sum(each <= 20.0 for each in first("poisson", points, seed, count))

    assert abs(due - planned) <= 6 * planned**0.5 + 2


@settings(max_examples=50)
@given(kind=KINDS, points=profiles(), seed=SEEDS)
def test_instants_undo_the_integral(kind: Schedule, points: Points, seed: int) -> None:
    """The integral up to each instant is the count that the instant was made from."""
    profile = Profile(points)
    counts = [profile.count_at(each) for each in first(kind, points, seed, 300)]

    if kind == "constant":
        np.testing.assert_allclose(counts, np.arange(300), atol=1e-6, rtol=1e-9)
    else:
        plain = first(kind, ((0.0, 1.0),), seed, 300)
        np.testing.assert_allclose(counts, plain, atol=1e-6, rtol=1e-9)


@settings(max_examples=100)
@given(
    kind=KINDS,
    points=profiles(),
    seed=SEEDS,
    changes=st.lists(
        st.tuples(st.integers(0, 200), st.floats(0, 1), st.just(0.0) | st.floats(0.5, 500)),
        max_size=4,
    ),
)
def test_a_new_rate_moves_only_what_is_not_yet_due(
    kind: Schedule, points: Points, seed: int, changes: list[tuple[int, float, float]]
) -> None:
    """What was due before a change stays; from it on instants follow the new rate, repeatably."""

    def run() -> tuple[list[float], Profile]:
        table, found, now_s = Timetable(kind, Profile(points), seed), list[float](), 0.0
        for sends, share, rate_rps in changes:
            for _ in range(sends):
                if table.next_s == math.inf:
                    break
                now_s = table.next_s
                found.append(now_s)
                table.advance()
            now_s += share * (min(table.next_s, now_s + 1.0) - now_s)
            table.change(now_s, rate_rps)
        table.change(now_s, 100.0)
        return [*found, table.next_s, *(table.advance() for _ in range(200))], table.profile

    found, profile = run()

    assert found == run()[0]
    assert bool(np.all(np.diff(found) >= -1e-9))
    counts = [profile.count_at(each) for each in found]
    plain = first(kind, ((0.0, 1.0),), seed, len(found))
    np.testing.assert_allclose(counts, plain, atol=1e-5, rtol=1e-9)


@settings(max_examples=50)
@given(rate=RATES)
def test_a_constant_schedule_does_not_drift(rate: float) -> None:
    """The nth request is at n / rate exactly, however large n is."""
    last = first("constant", ((0.0, rate),), 1, CHUNK * 3 + 2)[-1]

    assert (CHUNK * 3 + 1) / rate == last


@settings(max_examples=20)
@given(seed=st.integers(min_value=0, max_value=50))
def test_a_poisson_schedule_has_the_rate_and_the_spread(seed: int) -> None:
    """Gaps have the mean of the rate, and a standard deviation of their mean (5 sigma)."""
    count = CHUNK * 4
    gaps = np.diff(first("poisson", ((0.0, 100.0),), seed, count))

    assert abs(gaps.mean() - 0.01) < 5 * 0.01 / count**0.5
    assert abs(gaps.std() - 0.01) < 5 * 0.01 * (2 / count) ** 0.5


def test_seeds_differ() -> None:
    """Two generators with different seeds do not send in step."""
    points = ((0.0, 100.0),)

    assert first("poisson", points, 1, 100) != first("poisson", points, 2, 100)


def test_a_rate_of_zero_is_silence() -> None:
    """Where the rate goes down to 0 for good, no further request is ever due."""
    found = first("constant", ((0.0, 10.0), (1.0, 10.0), (1.0, 0.0)), 1, 20)

    assert sum(each <= 1.0 for each in found) == 11
    assert set(found[11:]) == {math.inf}
