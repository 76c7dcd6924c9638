"""The autoscaler's decisions, on a clock that only these tests move, against the HPA's rules."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.autoscaler import UP_REPLICAS, Autoscaler, Decision, Reading, recommendation
from harness.settings import Autoscaling

PERIOD_S = 15.0
TARGET = Autoscaling(target_in_flight=10.0, min_replicas=1, max_replicas=16)


def decisions(
    in_flight: list[float], replicas: int = 2, settings: Autoscaling = TARGET, scale: float = 1.0
) -> list[int]:
    """What is wanted after each reading of a series, where every replica is ready at once."""
    autoscaler, wanted = Autoscaler(settings, scale), []
    for number, calls in enumerate(in_flight):
        decision = autoscaler.decide(Reading(calls, replicas, replicas), number * PERIOD_S * scale)
        replicas = decision.wanted
        wanted.append(replicas)
    return wanted


@pytest.mark.parametrize(
    ("in_flight", "wanted"),
    [(20, 2), (22, 2), (22.1, 3), (30, 3), (31, 4), (18, 2), (17.9, 2), (10, 1), (0, 0)],
)
def test_proportion(in_flight: float, wanted: int) -> None:
    """ceil(in flight / target) for two replicas of target 10; within a tenth nothing changes."""
    assert recommendation(Reading(in_flight, 2, 2), TARGET) == wanted


def test_no_replica_for_a_rounding_error() -> None:
    """0.3 / 0.1 is more than 3 in binary, and still asks for three."""
    settings = Autoscaling(target_in_flight=0.1)

    assert recommendation(Reading(0.3, 1, 1), settings) == 3


@pytest.mark.parametrize(
    ("in_flight", "ready", "wanted"),
    [
        (40, 2, 4),  # 20 each on two: but four are coming, which is enough
        (43, 2, 4),  # 10.75 each on four: within the tolerance
        (45, 2, 5),  # 11.25 each on four
        (22, 2, 4),  # over all four it would be too few: growth is held, nothing shrinks
        (21, 2, 4),  # within the tolerance over the ready ones
        (15, 2, 2),  # 7.5 each on those that are ready: those that are not have no say
        (40, 0, 4),  # nobody to be measured
    ],
)
def test_unready_replicas(in_flight: float, ready: int, wanted: int) -> None:
    """Of four replicas the unready ones count as idle for growth, and not at all otherwise."""
    assert recommendation(Reading(in_flight, 4, ready), TARGET) == wanted


def test_burst_grows_at_once_and_within_limits() -> None:
    """From 2 by four in a period, from 6 to 12 by doubling it, then up to the most."""
    assert decisions([500, 500, 500, 500]) == [6, 12, 16, 16]


def test_limit_counts_what_was_added_within_the_period() -> None:
    """Two decisions within one policy period share its limit."""
    autoscaler = Autoscaler(TARGET)

    first = autoscaler.decide(Reading(500, 2, 2), 0.0)
    second = autoscaler.decide(Reading(500, 6, 6), 5.0)
    third = autoscaler.decide(Reading(500, 6, 6), 15.0)

    assert [first.wanted, second.wanted, third.wanted] == [6, 6, 12]


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_shrinks_only_after_the_window(scale: float) -> None:
    """Down to the highest that was asked for in the last 300 s (times the scale), then at once."""
    wanted = decisions([60.0, *[10.0] * 25], 2, TARGET, scale)

    assert wanted[0] == 6
    assert wanted[:20] == [6] * 20  # the last of them at 285 s
    assert wanted[20:] == [1] * 6


def test_what_there_is_counts_as_recommended() -> None:
    """A fleet that is idle from the beginning is not shrunk before the window is over."""
    assert decisions([0.0] * 22, replicas=5) == [5] * 20 + [1, 1]


def test_brief_lull_shrinks_nothing() -> None:
    """Load that falls for less than the window and comes back finds the fleet as it was."""
    assert decisions([50, *[0.0] * 10, 50, *[0.0] * 10, 50]) == [5] * 23


def test_up_window_holds_growth_back() -> None:
    """With a window for growth, only what was asked for throughout it counts."""
    settings = Autoscaling(target_in_flight=10.0, up_window_s=60.0)

    assert decisions([20, 50, 50, 20, 50], 2, settings) == [2] * 5
    assert decisions([20, 50, 50, 50, 50, 50], 2, settings) == [2, 2, 2, 2, 5, 5]


@pytest.mark.parametrize(("replicas", "wanted"), [(1, 3), (9, 5)])
def test_bounds_come_first(replicas: int, wanted: int) -> None:
    """A fleet outside of its bounds is brought to the nearer one, whatever the metric says."""
    settings = Autoscaling(target_in_flight=10.0, min_replicas=3, max_replicas=5)

    assert Autoscaler(settings).decide(Reading(80, replicas, replicas), 0.0).wanted == wanted


def test_decision_tells_why() -> None:
    """The calls in flight, in all and per ready replica."""
    assert Autoscaler(TARGET).decide(Reading(44.0, 3, 2), 0.0) == Decision(3, 5, 44.0, 22.0)
    assert Autoscaler(TARGET).decide(Reading(44.0, 3, 0), 0.0) == Decision(3, 3, 44.0, None)


bounds = st.tuples(st.integers(1, 16), st.integers(1, 16)).map(sorted)
readings = st.lists(
    st.tuples(st.floats(0, 1000), st.integers(0, 16), st.floats(0.1, 40)), min_size=1, max_size=40
)


@given(bounds=bounds, start=st.integers(1, 16), series=readings)
def test_never_beyond_bounds_and_limits(
    bounds: list[int], start: int, series: list[tuple[float, int, float]]
) -> None:
    """Whatever is read, whenever: within least and most, and never quicker than the policy."""
    settings = Autoscaling(target_in_flight=10.0, min_replicas=bounds[0], max_replicas=bounds[1])
    autoscaler, replicas, now_s = Autoscaler(settings), start, 0.0
    sizes: list[tuple[float, int]] = []
    for in_flight, ready, pause_s in series:
        sizes.append((now_s, replicas))
        reading = Reading(in_flight, replicas, min(ready, replicas))
        wanted = autoscaler.decide(reading, now_s).wanted

        assert bounds[0] <= wanted <= bounds[1]
        if bounds[0] <= replicas <= bounds[1]:
            least = min(size for at_s, size in sizes if at_s > now_s - PERIOD_S)
            assert wanted <= max(least + UP_REPLICAS, 2 * least, replicas)
        replicas, now_s = wanted, now_s + pause_s


@given(
    replicas=st.integers(1, 16),
    shares=st.lists(st.floats(0.901, 1.099), min_size=1, max_size=60),
)
def test_no_flapping_within_the_tolerance(replicas: int, shares: list[float]) -> None:
    """Load that stays within a tenth of the target changes nothing, for however long."""
    settings = Autoscaling(target_in_flight=7.0)

    assert set(decisions([7.0 * replicas * each for each in shares], replicas, settings)) == {
        replicas
    }


@given(in_flight=st.floats(0, 160), replicas=st.integers(1, 16))
def test_steady_load_settles(in_flight: float, replicas: int) -> None:
    """Steady load ends, after the down window, in a size that carries it and stays."""
    wanted = decisions([in_flight] * 40, replicas)

    assert len(set(wanted[25:])) == 1
    assert wanted[-1] * 10.0 * 1.1 >= in_flight - 1e-6 or wanted[-1] == TARGET.max_replicas
    assert wanted[-1] <= max(math.ceil(in_flight / 9.0), 1, replicas)


@given(series=st.lists(st.floats(0, 160), min_size=1, max_size=15), replicas=st.integers(1, 16))
def test_nothing_shrinks_within_the_first_window(series: list[float], replicas: int) -> None:
    """For the first 300 s the fleet only grows, whatever the load does."""
    wanted = decisions(series, replicas)

    assert wanted == sorted(wanted)
    assert wanted[0] >= replicas
