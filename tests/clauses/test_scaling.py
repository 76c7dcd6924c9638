"""O5: a burst that meets a cold start."""

import pytest

from harness.clauses.scaling import burst_is_served
from tests.clauses.histories import Story


def burst(**first: float) -> Story:
    """Load rises to three times; a second replica is ordered 5 s later, and is ready in 1.5 s."""
    story = Story(lasting_s=40).fleet(1).capacity(100).offers("0.3x", 30, from_s=0, to_s=10)
    story.offers("0.9x", 90, from_s=10, to_s=40)
    decided = {"from": 1, "to": 2, "in_flight": 9, "per_replica": 9.0}
    story.event("autoscaler.decided", "replicas", at_s=15, **decided)
    story.start("replica-2", at_s=15.1)
    return story.meanwhile(16.6, 19, **first) if first else story


class TestBurstIsServed:
    """O5."""

    def test_warm(self) -> None:
        """First calls as fast as those of a warm replica hold."""
        finding = burst_is_served(burst().told())

        assert finding.held
        assert finding.measured == pytest.approx(1.0)
        assert "the first 100 calls of replica-2" in finding.sentence

    def test_cold(self) -> None:
        """Slow first calls of the new replica break it."""
        story = burst()
        newcomers = [row["id"].decode() for row in burst().told().requests if _by_new(row)]
        for id_ in newcomers[:5]:
            number = int(id_.removeprefix("r-"))
            story.request(id_, done_s=10 + (number - 300) / 90 + 0.2)

        finding = burst_is_served(story.told())

        assert finding.held is False
        assert float(finding.measured or 0) > 2

    def test_all_slow(self) -> None:
        """Where warm replicas are as slow at that time, it is the load, not the cold start."""
        assert burst_is_served(burst(took_s=0.2).told()).held

    def test_loss(self) -> None:
        """More than one failure in a hundred breaks it, whatever the new replica does."""
        finding = burst_is_served(burst().meanwhile(10, 16, every=10, status=8).told())

        assert finding.held is False
        assert finding.unit == "lost"
        assert "RESOURCE_EXHAUSTED" in finding.evidence[0]

    def test_little_loss(self) -> None:
        """Fewer are allowed."""
        assert burst_is_served(burst().meanwhile(10, 12, every=10, status=8).told()).held

    def test_few_calls(self) -> None:
        """A new replica that is hardly called says too little."""
        story = Story(lasting_s=17.5).fleet(1).capacity(100).offers("0.3x", 30, from_s=0, to_s=10)
        story.offers("0.9x", 90, from_s=10, to_s=17.5).extra.extend(burst().extra)
        story.start("replica-2", at_s=15.1)

        finding = burst_is_served(story.told())

        assert finding.held is None
        assert "calls, 100 needed" in finding.sentence

    def test_hardly_called(self) -> None:
        """One that was ready in time and hardly called is not left out beside one that was."""
        story = burst().start("replica-3", at_s=15.2, took_s=21.7)

        finding = burst_is_served(story.told())

        assert finding.held is None
        assert finding.sentence.startswith("replica-3 answered ")
        assert "the first 100 calls of replica-2" in finding.evidence[0]

    def test_ready_at_the_end(self) -> None:
        """One that was ready only as the burst ended had no time to serve it."""
        story = burst().start("replica-3", at_s=15.2, took_s=22.5)

        finding = burst_is_served(story.told())

        assert finding.held
        assert "replica-2" in finding.sentence

    def test_never_ready(self) -> None:
        """One that never became ready served nothing of it."""
        finding = burst_is_served(burst().start("replica-3", at_s=15.2, took_s=None).told())

        assert finding.held is None
        assert "replica-3, ordered at +15.200 s, never became ready" in finding.sentence

    def test_cold_beside_unjudged(self) -> None:
        """Slow first calls break it, whatever another one did not show."""
        story = burst().start("replica-3", at_s=15.2, took_s=None)
        newcomers = [row["id"].decode() for row in burst().told().requests if _by_new(row)]
        for id_ in newcomers[:5]:
            number = int(id_.removeprefix("r-"))
            story.request(id_, done_s=10 + (number - 300) / 90 + 0.2)

        assert burst_is_served(story.told()).held is False

    def test_nothing_to_compare_with(self) -> None:
        """Without warm replicas beside it there is no measure."""
        story = burst().dies("replica-1", at_s=16.7, exit_code=0)

        finding = burst_is_served(story.told())

        assert finding.held is None
        assert "too few to compare" in finding.sentence

    def test_not_scaled(self) -> None:
        """A burst in which no replica was added met no cold start."""
        story = burst()
        story.extra = [event for event in story.extra if event.kind != "autoscaler.decided"]

        finding = burst_is_served(story.told())

        assert finding.held is None
        assert "no replica was added in the burst" in finding.sentence

    def test_scaled_down(self) -> None:
        """A decision for fewer replicas adds none."""
        story = burst()
        story.extra = [event for event in story.extra if event.kind != "autoscaler.decided"]
        story.event("autoscaler.decided", "replicas", at_s=15, **{"from": 2, "to": 1})

        assert burst_is_served(story.told()).held is None

    def test_no_burst(self) -> None:
        """Load that rises by less, or slowly, is no burst."""
        slow = Story(lasting_s=40).fleet(1).capacity(100).offers("0.3x", 30, from_s=0, to_s=10)
        slow.offers("0.9x", 90, from_s=12, to_s=40)
        less = Story(lasting_s=40).fleet(1).capacity(100).offers("0.5x", 50, from_s=0, to_s=10)
        less.offers("1x", 100, from_s=10, to_s=40)

        for story in (slow, less):
            finding = burst_is_served(story.told())

            assert finding.held is None
            assert "load never rose to 3 times within 1 s" in finding.sentence

    def test_disturbed(self) -> None:
        """Where a fault was in force besides, the burst is not all that there was."""
        assert burst_is_served(burst().fault("slow", "store-path", at_s=12).told()).held is None


def _by_new(row: object) -> bool:
    return bool(row["replica"] == b"replica-2")  # type: ignore[index]
