"""N4: retries keep to a budget."""

import pytest

from harness.clauses.retries import retries_are_budgeted
from tests.clauses.histories import Story

UNAVAILABLE, RESOURCE_EXHAUSTED = 14, 8


def outage(**spell: float) -> Story:
    """Ten seconds in which all fails, and every tenth call is tried once more."""
    story = Story().fleet(3).requests(50).fault("refuse", "database-path", at_s=5, lasting_s=10)
    story.observed("outage", from_s=5, to_s=15)
    story.meanwhile(5, 15, status=UNAVAILABLE, took_s=0.002)
    said: dict[str, float] = {"every": 10, "status": UNAVAILABLE, "retries": 1} | spell
    return story.meanwhile(5, 15, **said)


class TestRetriesAreBudgeted:
    """N4."""

    def test_budgeted(self) -> None:
        """One retry for ten calls holds."""
        finding = retries_are_budgeted(outage().told())

        assert finding.held
        assert finding.measured == pytest.approx(1.1, abs=0.01)

    def test_storm(self) -> None:
        """A retry for every third call breaks it, and such calls are cited."""
        finding = retries_are_budgeted(outage(every=3).told())

        assert finding.held is False
        assert finding.measured == pytest.approx(1.33, abs=0.01)
        assert "attempt 2" in finding.evidence[0]

    def test_first_second(self) -> None:
        """What a budget has in reserve may be used up in the first second."""
        story = outage().meanwhile(5, 5.9, status=UNAVAILABLE, retries=2)

        assert retries_are_budgeted(story.told()).held

    def test_until_all_are_sent_away(self) -> None:
        """What is answered while one replica after the other is sent away is no outage yet."""
        story = outage().meanwhile(5, 6.5, status=0)
        assert retries_are_budgeted(story.told()).held is None

        story.event("balancer.routes", "balancer", at_s=6.5, replicas="")
        finding = retries_are_budgeted(story.told())

        assert finding.held
        assert "from +7.500 s" in finding.sentence

    def test_duplicated_by_the_balancer(self) -> None:
        """Attempts count as the balancer sees them, whoever made them."""
        story = outage()
        for number in range(300, 400):
            story.call(f"r-{number}", "10.0.0.1:9000", "502", at_s=number / 50 + 0.01, attempt=1)

        assert retries_are_budgeted(story.told()).held is False

    def test_no_retries(self) -> None:
        """A caller that never tries again needs no budget."""
        finding = retries_are_budgeted(outage(retries=0).told())

        assert finding.held is None
        assert "nothing was tried again" in finding.sentence

    def test_other_answers(self) -> None:
        """Where something else than UNAVAILABLE was answered, retries were not called for."""
        finding = retries_are_budgeted(outage().meanwhile(8, 9, status=8).told())

        assert finding.held is None
        assert "of the attempts in the outage ended UNAVAILABLE" in finding.sentence

    def test_no_outage(self) -> None:
        """Without an outage there is no evidence."""
        assert retries_are_budgeted(Story().fleet(3).requests().told()).held is None

    def test_no_fault(self) -> None:
        """A window that no fault fills is no outage."""
        story = outage()
        story.faults.clear()

        finding = retries_are_budgeted(story.told())

        assert finding.held is None
        assert "no fault was in force throughout" in finding.sentence

    def test_few(self) -> None:
        """Too few calls are no evidence."""
        story = Story().fleet(3).requests(5).fault("refuse", "database-path", at_s=5, lasting_s=10)
        story.observed("outage", from_s=5, to_s=15).meanwhile(5, 15, status=14, every=1)

        finding = retries_are_budgeted(story.told())

        assert finding.held is None
        assert "100 needed" in finding.sentence

    def test_no_log(self) -> None:
        """Without the balancer's log there is no evidence."""
        finding = retries_are_budgeted(outage().without_access_log().told())

        assert finding.held is None
        assert "the balancer's log or the attempts are missing" in finding.sentence
