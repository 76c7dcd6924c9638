"""N1: a replica that hangs leaves rotation and hardly costs a request."""

import pytest

from harness.clauses.frozen import frozen_leaves_rotation
from tests.clauses.histories import Story

UNAVAILABLE = 14


def frozen(*, lasting_s: float = 13.0, name: str = "pause") -> Story:
    """One of three replicas hangs from second 5 on, under 100 requests per second."""
    return Story().fleet(3).requests().fault(name, "replica-2", at_s=5, lasting_s=lasting_s)


@pytest.mark.parametrize("name", ["pause", "freeze", "black hole"])
def test_held(name: str) -> None:
    """Nothing lost, neither soon after the freeze nor later."""
    finding = frozen_leaves_rotation(frozen(name=name).told())

    assert finding.held
    assert "0 requests lost in the first 10 s, 0 of 301 from then on" in finding.sentence


def test_what_was_in_flight() -> None:
    """What was in flight there, and one more, may be lost: the first call that times out."""
    story = frozen().call("r-500", "10.0.0.2:9000", "504", at_s=4.995)
    for id_ in ("r-500", "r-505"):
        story.request(id_, status=UNAVAILABLE)

    assert frozen_leaves_rotation(story.told()).held


def test_more_than_that() -> None:
    """Any loss beyond breaks it, and the requests are cited."""
    story = frozen()
    for id_ in ("r-501", "r-505", "r-509"):
        story.request(id_, status=UNAVAILABLE)

    finding = frozen_leaves_rotation(story.told())

    assert finding.held is False
    assert (finding.promised, finding.measured) == (2, 3)  # one was in flight there
    assert any("request r-501: UNAVAILABLE" in each for each in finding.evidence)


@pytest.mark.parametrize(("lost", "held"), [(3, True), (4, False)])
def test_later_on(lost: int, *, held: bool) -> None:
    """From 10 s on at most 1 % is lost."""
    story = frozen()
    for number in range(1600, 1600 + lost):
        story.request(f"r-{number}", status=UNAVAILABLE)

    assert frozen_leaves_rotation(story.told()).held is held


def test_after_the_thaw() -> None:
    """What is lost once it runs again is no loss of this promise."""
    story = frozen()
    for number in range(1900, 1950):
        story.request(f"r-{number}", status=UNAVAILABLE)

    assert frozen_leaves_rotation(story.told()).held


def test_no_evidence() -> None:
    """No freeze, one that was over too soon, one of all, or a balancer that logs nothing."""
    everybody = Story().fleet(1).requests().fault("pause", "replica-1", at_s=5, lasting_s=13)

    assert frozen_leaves_rotation(Story().fleet(3).requests().told()).held is None
    assert frozen_leaves_rotation(frozen(lasting_s=9).told()).held is None
    assert frozen_leaves_rotation(everybody.told()).held is None
    assert frozen_leaves_rotation(frozen().without_access_log().told()).held is None
