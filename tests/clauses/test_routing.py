"""N2: who gets how many of the requests."""

import pytest

from harness.clauses.routing import load_is_spread
from tests.clauses.histories import Story


def lopsided(story: Story, share: int) -> Story:
    """Make one in so many of the answers come from replica-1 whoever's turn it was."""
    for number in range(0, 3000, share):
        story.request(f"r-{number}", replica="replica-1")
    return story


def test_even() -> None:
    """Equal shares hold."""
    finding = load_is_spread(Story().fleet(3).requests().told())

    assert finding.held
    assert finding.measured == pytest.approx(1.0, abs=0.01)
    assert "1,000 to 1,000 each" in finding.sentence or "over 3 replicas" in finding.sentence


def test_pinned() -> None:
    """A client that stays with one replica breaks it, cited with the counts."""
    finding = load_is_spread(lopsided(Story().fleet(3).requests(), 4).told())

    assert finding.held is False
    assert float(finding.measured or 0) < 0.001
    assert "replica-1 1,500" in finding.evidence[0]


def test_one_uneven_stretch() -> None:
    """One uneven stretch among even ones breaks it, whatever Bonferroni takes off."""
    story = Story().fleet(3).requests().kill("replica-2", at_s=12)
    for number in range(1600, 2900, 4):
        story.request(f"r-{number}", replica="replica-1")

    finding = load_is_spread(story.told())

    assert finding.held is False
    assert "Bonferroni over 2 stretches" in finding.sentence


def test_killed() -> None:
    """While a dead replica is listed nothing is judged, and its replacement gets its share."""
    finding = load_is_spread(Story().fleet(3).requests().kill("replica-2", at_s=12).told())

    assert finding.held
    assert any("replica-4, routed to from +13.900 s" in line for line in finding.evidence)


def test_paused() -> None:
    """A replica that a fault holds gets nothing, and that does not count."""
    story = Story().fleet(3).requests().fault("pause", "replica-3", at_s=10, lasting_s=5)
    for number in range(1000, 1500):
        story.request(f"r-{number}", replica=f"replica-{number % 2 + 1}")

    assert load_is_spread(story.told()).held


def test_retries_do_not_count() -> None:
    """A retried request was sent elsewhere on purpose."""
    story = Story().fleet(3).requests()
    for number in range(0, 3000, 4):
        story.request(f"r-{number}", replica="replica-1", attempts=2)

    history = story.told()
    history.requests["attempts"][1::4] = 2
    history.requests["attempts"][2::4] = 2

    assert load_is_spread(history).held


def test_starved_newcomer() -> None:
    """A new replica that gets less than half of a fair share breaks it."""
    story = Story().fleet(3).requests().start("replica-4", at_s=10, took_s=1)
    for number in range(1100, 2200):
        story.request(f"r-{number}", replica=f"replica-{number % 3 + 1}")

    finding = load_is_spread(story.told())

    assert finding.held is False
    assert finding.promised == 0.5
    assert "replica-4, routed to from +11.000 s, got 0 of 1,00" in finding.sentence


def test_newcomer_hardly_seen() -> None:
    """A new replica of which too little was seen is not judged."""
    story = Story().fleet(3).requests().start("replica-4", at_s=28.7, took_s=1)
    for number in range(2970, 3000):
        story.request(f"r-{number}", replica="replica-1")

    assert load_is_spread(story.told()).held


def test_few() -> None:
    """Too few requests are no evidence."""
    assert load_is_spread(Story().fleet(3).requests(rate_rps=5).told()).held is None


def test_single_replica() -> None:
    """One replica has nobody to share with: no evidence."""
    assert load_is_spread(Story().fleet(1).requests().told()).held is None


def test_nameless() -> None:
    """Answers that do not say who gave them are no evidence."""
    history = Story().fleet(3).requests().told()
    history.requests["replica"] = b""

    assert load_is_spread(history).held is None
