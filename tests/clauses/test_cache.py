"""D4: a lost cache costs some latency, and no request."""

import pytest

from harness.clauses.cache import cache_may_vanish
from tests.clauses.histories import Story


def lost(name: str = "black hole", *targets: str, lasting_s: float = 5.0) -> Story:
    """Half a minute of load, steady for 10 s, then a cache that is away for some seconds."""
    story = Story(lasting_s=30).fleet(3).requests(50).steady(to_s=10)
    return story.fault(name, *(targets or ("cache-path",)), at_s=10, lasting_s=lasting_s)


class TestCacheMayVanish:
    """D4."""

    @pytest.mark.parametrize(("name", "target"), [("black hole", "cache-path"), ("stop", "cache")])
    def test_degrades(self, name: str, target: str) -> None:
        """A little more latency while it is away, and none afterwards, holds."""
        finding = cache_may_vanish(lost(name, target).meanwhile(10, 15, took_s=0.06).told())

        assert finding.held
        assert (finding.measured, finding.unit) == (pytest.approx(40.0), "ms added")
        assert f"{name} of {target} at +10.000 s" in finding.sentence
        assert "was back 0.00 s after it" in finding.sentence

    def test_fails(self) -> None:
        """One failed request breaks it."""
        finding = cache_may_vanish(lost().request("r-600", status=14).told())

        assert finding.held is False
        assert finding.measured == 1
        assert "request r-600: UNAVAILABLE" in finding.evidence[0]

    def test_fails_afterwards(self) -> None:
        """Also where it fails once the cache is back."""
        assert cache_may_vanish(lost().request("r-1200", status=14).told()).held is False

    def test_wrong(self) -> None:
        """A wrong answer, such as a corrupted cache may give, is lost too."""
        finding = cache_may_vanish(lost("flip bits").request("r-600", correct=0).told())

        assert finding.held is False
        assert "answered wrongly" in finding.sentence

    def test_slow(self) -> None:
        """A p99 that rises by more than 50 ms breaks it, and slow answers are cited."""
        finding = cache_may_vanish(lost().meanwhile(10, 15, every=20, took_s=0.1).told())

        assert finding.held is False
        assert finding.measured == pytest.approx(80.0)
        assert finding.evidence[0].startswith("request r-500: OK")
        assert "took over 70 ms" in finding.evidence[0]

    def test_stays_slow(self) -> None:
        """Latency that stays up for more than ten seconds after it breaks it."""
        finding = cache_may_vanish(lost().meanwhile(15.01, 27, every=10, took_s=0.1).told())

        assert finding.held is False
        assert finding.unit == "s"
        assert float(finding.measured or 0) > 10
        assert "sent at +25." in finding.evidence[0]

    def test_recovers(self) -> None:
        """A few seconds are allowed, and measured."""
        finding = cache_may_vanish(lost().meanwhile(15.01, 20, every=10, took_s=0.1).told())

        assert finding.held
        assert 3 < float(finding.sentence.split("was back ")[1].split(" s")[0]) < 5

    def test_recovery_unseen(self) -> None:
        """Where nothing was watched after it, its recovery is not known."""
        finding = cache_may_vanish(lost(lasting_s=19).told())

        assert finding.held is None
        assert "after it too little was seen" in finding.sentence

    def test_other_fault(self) -> None:
        """Where something else was disturbed at the same time, the cache is not to blame."""
        story = lost().fault("pause", "replica-2", at_s=11).request("r-600", status=14)

        finding = cache_may_vanish(story.told())

        assert finding.held is None
        assert "pause of replica-2 was in force beside it" in finding.sentence

    def test_next_fault(self) -> None:
        """What fails once another fault begins is that one's doing."""
        story = lost().fault("kill", "replica-2", at_s=25).request("r-1300", status=14)
        story.request("r-1249", status=14, done_s=25.01)  # it was in flight

        assert cache_may_vanish(story.told()).held

    def test_worst_of_two(self) -> None:
        """Of two losses the one that cost requests decides."""
        story = lost().fault("refuse", "cache-path", at_s=20).request("r-1050", status=14)

        finding = cache_may_vanish(story.told())

        assert finding.held is False
        assert "refuse of cache-path" in finding.sentence

    def test_few(self) -> None:
        """Too few answers while it was away are no evidence."""
        finding = cache_may_vanish(lost(lasting_s=1.5).told())

        assert finding.held is None
        assert "OK answers while it was in force, 100 needed" in finding.sentence

    def test_nothing_before(self) -> None:
        """Nor is a loss at the very beginning: there is nothing to compare with."""
        story = Story().fleet(3).requests(50).fault("refuse", "cache-path", at_s=1, lasting_s=5)

        finding = cache_may_vanish(story.told())

        assert finding.held is None
        assert "OK answers before the fault, 100 needed" in finding.sentence

    def test_no_loss(self) -> None:
        """Without a fault of the cache there is no evidence."""
        story = Story().fleet(3).requests().fault("slow", "database-path", at_s=5)

        finding = cache_may_vanish(story.told())

        assert finding.held is None
        assert "no fault was aimed at the cache" in finding.sentence
