"""N5: deadlines reach the work."""

import pytest

from harness.clauses.deadlines import deadlines_reach_work
from tests.clauses.histories import Story


def tried(**other: float | None) -> Story:
    """Five calls left to expire at a fifth of the service time, then a fresh one."""
    details = {
        "service_time_ms": 100.0,
        "deadline_ms": 20.0,
        "expired": 5,
        "executed": 0,
        "fresh_ms": 120.0,
    } | other
    return Story().fleet(1).event("deadline.tried", "service", at_s=5, **details)


class TestDeadlinesReachWork:
    """N5."""

    def test_reached(self) -> None:
        """A fresh call at once, and nothing run in vain, hold."""
        finding = deadlines_reach_work(tried().told())

        assert finding.held
        assert (finding.promised, finding.measured) == (2.0, 1.2)

    def test_executed(self) -> None:
        """One expired call that was run breaks it."""
        finding = deadlines_reach_work(tried(executed=1).told())

        assert finding.held is False
        assert (finding.measured, finding.unit) == (1, "executions")

    def test_blocked(self) -> None:
        """A fresh call that had to wait for expired ones breaks it."""
        finding = deadlines_reach_work(tried(fresh_ms=201.0).told())

        assert finding.held is False
        assert finding.measured == 2.01

    def test_blocked_unseen(self) -> None:
        """So it does where executions cannot be seen."""
        assert deadlines_reach_work(tried(fresh_ms=201.0, executed=None).told()).held is False

    def test_unseen(self) -> None:
        """A quick fresh call alone does not show that nothing was run."""
        finding = deadlines_reach_work(tried(executed=None).told())

        assert finding.held is None
        assert "the record store does not show whether those were run" in finding.sentence

    def test_worst_counts(self) -> None:
        """Of several trials the worst decides."""
        story = tried()
        story.extra.extend(tried(fresh_ms=300.0).extra)

        assert deadlines_reach_work(story.told()).measured == 3.0

    @pytest.mark.parametrize(
        "unfair", [{"expired": 4}, {"deadline_ms": 100.0}, {"deadline_ms": 0.0}, {"fresh_ms": None}]
    )
    def test_unfair(self, unfair: dict[str, float | None]) -> None:
        """Too few expired calls, a deadline that could be met, or no fresh call, are no trial."""
        finding = deadlines_reach_work(tried(**unfair).told())

        assert finding.held is None
        assert "in none of 1 trial" in finding.sentence

    def test_untried(self) -> None:
        """Without a trial there is no evidence."""
        assert deadlines_reach_work(Story().fleet(1).told()).held is None
