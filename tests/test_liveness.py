"""When failing liveness means a restart, on a clock that only these tests move."""

from collections.abc import Iterable

import pytest

from harness.liveness import Liveness

Heard = tuple[float, bool | None]


def restarts(heard: Iterable[Heard], *, live_first: bool = True, code: str = "OK") -> list[float]:
    """The instants at which a restart is asked for, of three failures at a period of 1 s."""
    liveness = Liveness(period_s=1.0, failures_allowed=3)
    if live_first:
        assert not liveness.heard(True, "OK", -1.0)
    return [at_s for at_s, live in heard if liveness.heard(live, code, at_s)]


@pytest.mark.parametrize("answer", [False, None])
def test_third_failure_in_a_row(answer: bool | None) -> None:
    """The third in a row is the one too many: "not live" and no answer count alike."""
    assert restarts((float(n), answer) for n in range(5)) == [2.0]


def test_success_forgives() -> None:
    """One good answer begins the count anew."""
    heard = [(0.0, False), (1.0, False), (2.0, True), (3.0, False), (4.0, False), (5.0, False)]

    assert restarts(heard) == [5.0]


def test_many_rounds_in_a_period_count_once() -> None:
    """A replica that is asked twenty times a second is given as long as one asked once."""
    (first, *_) = restarts((n * 0.05, False) for n in range(100))

    assert first == pytest.approx(2.0)


def test_rounds_that_come_a_little_early() -> None:
    """Jitter of the prober's clock costs one round at most, not every second one."""
    assert restarts((n * 0.999, False) for n in range(6)) == [pytest.approx(3 * 0.999)]


def test_not_before_it_was_live() -> None:
    """A replica that still starts is the start timeout's business."""
    assert restarts(((float(n), None) for n in range(9)), live_first=False) == []


def test_unoffered() -> None:
    """A service without ServerLive is never restarted for it."""
    assert restarts(((float(n), None) for n in range(9)), code="UNIMPLEMENTED") == []


def test_counts_anew_after_a_restart_was_asked_for() -> None:
    """Whoever asks is not asked again with every further failure."""
    assert restarts((float(n), False) for n in range(9)) == [2.0, 5.0, 8.0]
