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

    def test_loss(self) -> None:
        """Where many are not answered, that the rest was quick keeps no promise."""
        finding = answers_in_time(served().meanwhile(10, 15, every=2, status=14).told())

        assert finding.held is False
        assert (finding.promised, finding.unit, finding.comparison) == (0.99, "answered", ">=")
        assert finding.sentence == "observe from +10.000 s: 125 of 501 requests failed"
        assert "UNAVAILABLE from nobody, sent at +10.000 s" in finding.evidence[0]

    def test_loss_below_capacity(self) -> None:
        """Nor may load that is offered below the capacity be lost."""
        assert answers_in_time(served().meanwhile(20, 25, status=8).told()).held is False

    def test_little_loss(self) -> None:
        """One request in a hundred may fail, and has no latency."""
        assert answers_in_time(served().meanwhile(10, 10.1, status=14, took_s=2.0).told()).held

    def test_hardly_any_answer(self) -> None:
        """A window is not too thin to judge for having lost what was sent in it."""
        story = Story().fleet(3).requests(100).observed(from_s=1, to_s=11)

        finding = answers_in_time(story.meanwhile(1, 10.5, status=14).told())

        assert finding.held is False
        assert float(finding.measured or 0) < 0.06

    def test_outage(self) -> None:
        """In an outage nothing can be answered: how soon is no question then."""
        story = served().observed("outage", from_s=12, to_s=20)
        story.windows = [each for each in story.windows if each.name != "observe"]

        finding = answers_in_time(story.meanwhile(12, 20, status=14).told())

        assert finding.held
        assert "in the slowest of 2 windows" in finding.sentence

    def test_at_capacity(self) -> None:
        """Load at the capacity or above is judged by how it is refused, not here."""
        story = Story(lasting_s=40).fleet(3).capacity(50).offers("0.8x", 40, from_s=0, to_s=10)
        story.offers("1x", 50, from_s=10, to_s=20).offers("2x", 100, from_s=20, to_s=30)
        story.meanwhile(10, 20, every=9, status=8).meanwhile(20, 30, every=2, took_s=1.0)

        finding = answers_in_time(story.told())

        assert finding.held
        assert "in the slowest of 1 window" in finding.sentence

    def test_own_share(self) -> None:
        """A service may promise to answer more, or less."""
        story = served().meanwhile(10, 15, every=10, status=14)

        assert answers_in_time(story.told(), Limits(answered_share=0.9)).held
        assert answers_in_time(story.told(), Limits(answered_share=0.999)).held is False

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
