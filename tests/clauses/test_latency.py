"""L1: the service's own promise of how soon it answers."""

from harness.clauses.latency import answers_in_time
from harness.contract import Limits
from tests.clauses.histories import Story


def served() -> Story:
    """Ten seconds steady, ten observed, ten offered at 0.8x, all answered within 20 ms."""
    story = Story(lasting_s=40).fleet(3).capacity(50).requests(50, to_s=20).steady(to_s=10)
    return story.observed(from_s=10, to_s=20).offers("0.8x", 40, from_s=20, to_s=30)


class TestAnswersInTime:
    """L1."""

    def test_fast(self) -> None:
        """Windows whose p99 is within the promise hold, and the slowest is told."""
        finding = answers_in_time(served().told())

        assert finding.held
        assert (finding.promised, finding.measured) == (250.0, 20.0)
        assert "in the slowest of 3 windows" in finding.sentence

    def test_slow_window(self) -> None:
        """One window with too many slow answers breaks it, and comes first in the evidence."""
        finding = answers_in_time(served().meanwhile(12, 18, every=20, took_s=0.3).told())

        assert finding.held is False
        assert "observe from +10.000 s" in finding.sentence
        assert finding.evidence[0].startswith("observe from +10.000 s")

    def test_few_slow_answers(self) -> None:
        """A single slow answer among hundreds leaves the p99 where it is."""
        assert answers_in_time(served().meanwhile(12, 12.03, took_s=1.0).told()).held

    def test_from_intended(self) -> None:
        """Time before a request was sent counts."""
        story = served()
        for number in range(500, 520):
            story.request(f"r-{number}", intended_s=10 + (number - 500) / 100, done_s=11)

        assert answers_in_time(story.told()).held is False

    def test_failures_do_not_count(self) -> None:
        """What was not answered has no latency: other clauses judge it."""
        assert answers_in_time(served().meanwhile(10, 15, status=14, took_s=2.0).told()).held

    def test_own_limit(self) -> None:
        """A service may promise less, or more."""
        assert answers_in_time(served().told(), Limits(latency_p99_ms=19.0)).held is False

    def test_thin_window(self) -> None:
        """A window with fewer than a hundred answers is left out, and that is told."""
        finding = answers_in_time(served().observed("blink", from_s=1, to_s=2).told())

        assert finding.held
        assert "1 window with too few answers left out" in finding.sentence
        assert "blink from +1.000 s: 51 OK answers, too few to judge" in finding.evidence[-1]

    def test_few(self) -> None:
        """Where no window has a hundred answers, nothing is judged."""
        story = Story().fleet(3).requests(3).steady(to_s=30)

        finding = answers_in_time(story.told())

        assert finding.held is None
        assert "no window had 100 OK answers" in finding.sentence

    def test_no_window(self) -> None:
        """Without a window there is nothing to judge."""
        assert answers_in_time(Story().fleet(3).requests().told()).held is None
