"""O1, O2, O3 and R5: what a service does while twice its capacity is offered."""

import pytest

from harness.clauses.overload import (
    admitted_is_fast,
    goodput_holds,
    probes_are_answered,
    refusal_is_quick,
)
from harness.contract import Clause
from tests.clauses.histories import Story

UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED = 14, 13, 4, 8


def surge(**refusal: float) -> Story:
    """0.8x, 1x and 2x of 100 rps, 12 s each; of what 2x offers, half is refused within 5 ms."""
    story = Story(lasting_s=40).fleet(3).capacity(100)
    story.offers("0.8x", 80, from_s=0, to_s=12).offers("1x", 100, from_s=12, to_s=24)
    story.offers("2x", 200, from_s=24, to_s=36)
    said = {"status": RESOURCE_EXHAUSTED, "took_s": 0.005, "every": 2} | refusal
    return story.meanwhile(24, 36, **said)


class TestGoodputHolds:
    """O1."""

    def test_plateau(self) -> None:
        """As many good answers at 2x as at 1x hold, and both rates are told."""
        finding = goodput_holds(surge().told())

        assert finding.held
        assert finding.measured == pytest.approx(1.0, abs=0.01)
        assert "99.9 good answers per second over 12.0 s at 2x, 100.0 at 1x" in finding.sentence

    def test_collapse(self) -> None:
        """Fewer than nine tenths of the goodput at 1x break it."""
        finding = goodput_holds(surge().meanwhile(24, 36, every=3, status=UNAVAILABLE).told())

        assert finding.held is False
        assert float(finding.measured or 0) < 0.9

    def test_late_is_no_goodput(self) -> None:
        """Answers beyond the deadline do not count, OK though they are."""
        assert goodput_holds(surge().meanwhile(24, 34, took_s=2.1).told()).held is False

    def test_wrong_is_no_goodput(self) -> None:
        """Nor do wrong answers."""
        assert goodput_holds(surge().meanwhile(24, 36, correct=0).told()).held is False

    def test_no_base(self) -> None:
        """Where 1x fell far short of the measured capacity, there is nothing to compare with."""
        story = surge().meanwhile(12, 24, every=2, status=RESOURCE_EXHAUSTED)

        finding = goodput_holds(story.told())

        assert finding.held is None
        assert "no base to hold 2x against" in finding.sentence

    def test_capacity_measured_too_low(self) -> None:
        """Goodput at 2x far above the capacity shows that 2x was not twice the capacity."""
        story = Story(lasting_s=40).fleet(3).capacity(380).offers("1x", 380, from_s=12, to_s=24)
        story.offers("2x", 760, from_s=24, to_s=36).meanwhile(24, 36, every=19, status=8)

        finding = goodput_holds(story.told())

        assert finding.held is None
        assert "goodput at 2x was 719 per second, of a measured capacity of 380" in finding.sentence
        assert "measured too low" in finding.sentence

    def test_capacity_roughly_right(self) -> None:
        """A quarter more than was measured is within what a measurement may miss."""
        story = Story(lasting_s=40).fleet(3).capacity(100).offers("1x", 100, from_s=12, to_s=24)
        story.offers("2x", 200, from_s=24, to_s=36).meanwhile(24, 36, every=8, status=8)
        for other in range(1, 3):
            story.meanwhile(24 + other * 0.005, 36, every=8, status=8)

        finding = goodput_holds(story.told())

        assert finding.held
        assert finding.measured == pytest.approx(1.25, abs=0.01)

    def test_worst_of_two(self) -> None:
        """Of two windows at 2x the worse one decides."""
        story = surge().offers("2x", 200, from_s=36, to_s=48)
        story.lasting_s = 50
        story.meanwhile(36, 48, every=2, status=8).meanwhile(36, 48, every=3, status=8)

        finding = goodput_holds(story.told())

        assert finding.held is False
        assert "from +36.000 s" in finding.sentence
        assert len(finding.evidence) == 2

    def test_never_at_1x(self) -> None:
        """Nor where 1x was never offered before."""
        story = Story(lasting_s=30).fleet(3).capacity(100).offers("2x", 200, from_s=0, to_s=12)

        finding = goodput_holds(story.meanwhile(0, 12, every=2, status=8).told())

        assert finding.held is None
        assert "not offered at 1 times the capacity before" in finding.sentence

    def test_collapse_at_both(self) -> None:
        """A collapse at 1x does not excuse a worse one at 2x."""
        story = surge().meanwhile(12, 24, every=2, status=8).meanwhile(24, 36, status=8)

        assert goodput_holds(story.told()).held is False


class TestAdmittedIsFast:
    """O2."""

    def test_fast(self) -> None:
        """Answers as fast at 2x as at 0.8x hold; the most that was in flight is told."""
        finding = admitted_is_fast(surge().told())

        assert finding.held
        assert finding.measured == 20.0
        assert finding.promised == 60.0
        assert "were in flight" in finding.sentence

    def test_queued(self) -> None:
        """Answers that take over three times as long break it."""
        finding = admitted_is_fast(surge().meanwhile(30, 36, every=3, took_s=0.07).told())

        assert finding.held is False
        assert finding.measured == pytest.approx(70.0)

    def test_deadline(self) -> None:
        """However slow 0.8x is, nothing beyond the deadline is fast."""
        story = surge().meanwhile(0, 12, took_s=1.5).meanwhile(24, 36, every=3, took_s=2.2)

        finding = admitted_is_fast(story.told())

        assert finding.held is False
        assert finding.promised == 2000.0

    def test_few(self) -> None:
        """Fewer than a hundred OK answers have no 99th percentile."""
        finding = admitted_is_fast(surge(every=1).told())

        assert finding.held is None
        assert "0 at 2x, 100 of each are needed" in finding.sentence

    def test_no_base(self) -> None:
        """Where 0.8x was not kept up with, it is no measure of what is fast."""
        finding = admitted_is_fast(surge().meanwhile(0, 12, every=4, status=14).told())

        assert finding.held is None
        assert "no base to compare with" in finding.sentence

    def test_more_than_08x(self) -> None:
        """Nor where more was offered than its name says: that is slower, and no measure."""
        story = Story(lasting_s=30).fleet(3).capacity(100).offers("0.8x", 160, from_s=0, to_s=12)
        story.offers("2x", 200, from_s=12, to_s=24).meanwhile(12, 24, every=2, status=8)

        finding = admitted_is_fast(story.told())

        assert finding.held is None
        assert "0.8x of 100 rps is 80 rps, but 160 were offered" in finding.sentence

    def test_never_at_08x(self) -> None:
        """Nor where 0.8x was never offered before."""
        story = Story(lasting_s=30).fleet(3).capacity(100).offers("2x", 200, from_s=0, to_s=12)

        finding = admitted_is_fast(story.meanwhile(0, 12, every=2, status=8).told())

        assert finding.held is None
        assert "not offered at 0.8 times the capacity before" in finding.sentence


class TestRefusalIsQuick:
    """O3."""

    def test_quick(self) -> None:
        """Refusals of both codes within 5 ms hold."""
        finding = refusal_is_quick(surge().meanwhile(30, 36, every=6, status=UNAVAILABLE).told())

        assert finding.held
        assert float(finding.measured or 0) <= 20.0

    def test_slow(self) -> None:
        """Refusals that take longer than the limit break it, and are cited."""
        finding = refusal_is_quick(surge(took_s=0.08).told())

        assert finding.held is False
        assert finding.measured == pytest.approx(80.0)
        assert "ended RESOURCE_EXHAUSTED after 80.0 ms" in finding.evidence[0]

    @pytest.mark.parametrize("status", [INTERNAL, DEADLINE_EXCEEDED])
    def test_untyped(self, status: int) -> None:
        """A single refusal with a code that does not say overload breaks it."""
        finding = refusal_is_quick(surge().meanwhile(30, 30.006, status=status).told())

        assert finding.held is False
        assert finding.promised == "RESOURCE_EXHAUSTED or UNAVAILABLE"
        assert "request r-3361" in finding.evidence[0]

    def test_untyped_attempt(self) -> None:
        """So does an attempt that a retry made good."""
        finding = refusal_is_quick(surge().attempt("r-3361", status=INTERNAL).told())

        assert finding.held is False
        assert "request r-3361: attempt 1" in finding.evidence[0]

    def test_few(self) -> None:
        """Fewer than a hundred refusals have no 99th percentile."""
        story = surge(every=40).meanwhile(24, 36, every=10, took_s=2.5)

        finding = refusal_is_quick(story.told())

        assert finding.held is None
        assert "refusals seen at 2x, 100 needed" in finding.sentence


class TestProbesAreAnswered:
    """R5."""

    def test_answered(self) -> None:
        """Probes that are all answered hold."""
        finding = probes_are_answered(surge().probes().told())

        assert finding.held
        assert (
            "0 of 450 probes at 2x were not answered, at most 0 in a row; 99 % took at most 2.0 ms"
            in finding.sentence
        )

    def test_says_not_ready(self) -> None:
        """An answer that says no is an answer."""
        assert probes_are_answered(surge().probes(readyz=False).told()).held

    def test_three_in_a_row(self) -> None:
        """Three misses in a row on one surface of one replica break it."""
        story = surge().probes()
        for number in range(3):
            at_s, round_ = 30.6 + number / 100, 1000 + number
            story.probe("replica-1", "livez", "DEADLINE_EXCEEDED", at_s=at_s, number=round_)

        finding = probes_are_answered(story.told())

        assert finding.held is False
        assert (finding.measured, finding.unit) == (3, "misses in a row")

    def test_scattered_misses(self) -> None:
        """Two misses in a row here and there are allowed, as long as 99 % are answered."""
        story = surge().probes()
        for at_s in (30.1, 30.2):
            story.probe("replica-1", "livez", "ReadTimeout", at_s=at_s, number=0)

        assert probes_are_answered(story.told()).held

    def test_many_misses(self) -> None:
        """More than one probe in a hundred without an answer breaks it."""
        story = surge().probes()
        for number in range(8):
            at_s = 25.6 + number
            story.probe("replica-1", "livez", "ReadTimeout", at_s=at_s, number=2000 + number)

        finding = probes_are_answered(story.told())

        assert finding.held is False
        assert finding.measured == "no answer"

    def test_slow(self) -> None:
        """Answers that come later than the probe's timeout break it."""
        story = surge().probes()
        for number in range(8):
            details = {"surface": "livez", "answer": True, "code": "200", "round": number}
            story.event("probe", "replica-1", at_s=25.6 + number, latency_ms=1500.0, **details)

        finding = probes_are_answered(story.told())

        assert finding.held is False
        assert finding.measured == 1.5

    def test_few(self) -> None:
        """Fewer than a hundred probes say too little."""
        finding = probes_are_answered(surge().told())

        assert finding.held is None
        assert "0 probes of ready replicas at 2x, 100 needed" in finding.sentence


@pytest.mark.parametrize(
    "promise", [goodput_holds, admitted_is_fast, refusal_is_quick, probes_are_answered]
)
class TestNoOverload:
    """What keeps all of them from being held by luck."""

    def test_never(self, promise: Clause) -> None:
        """Without twice the capacity there is no evidence."""
        story = Story().fleet(3).capacity(100).offers("1x", 100, from_s=0, to_s=20).probes()

        finding = promise(story.told())

        assert finding.held is None
        assert "never offered at 2 times the capacity" in finding.sentence

    def test_not_above(self, promise: Clause) -> None:
        """Where all is answered at 2x, the load was not above the capacity."""
        finding = promise(surge(status=0).probes().told())

        assert finding.held is None
        assert "the load was not above the capacity" in finding.sentence

    def test_short(self, promise: Clause) -> None:
        """A moment of overload does not fill a queue."""
        story = Story(lasting_s=40).fleet(3).capacity(100).offers("1x", 100, from_s=0, to_s=12)
        story.offers("2x", 200, from_s=12, to_s=15).meanwhile(12, 15, every=2, status=8).probes()

        finding = promise(story.told())

        assert finding.held is None
        assert "offered for 3.0 s" in finding.sentence

    def test_unmeasured(self, promise: Clause) -> None:
        """Without a measured capacity nobody knows what 2x means."""
        story = Story(lasting_s=40).fleet(3).offers("2x", 200, from_s=0, to_s=12)

        finding = promise(story.meanwhile(0, 12, every=2, status=8).probes().told())

        assert finding.held is None
        assert "no capacity was measured" in finding.sentence

    def test_disturbed(self, promise: Clause) -> None:
        """Where a fault was in force besides, the overload is not all that there was."""
        finding = promise(surge().probes().fault("slow", "cache-path", at_s=30).told())

        assert finding.held is None
        assert "slow of cache-path was in force while 2x was offered" in finding.sentence

    def test_not_as_named(self, promise: Clause) -> None:
        """A load that falls short of its name does not count."""
        story = Story(lasting_s=40).fleet(3).capacity(200).offers("1x", 200, from_s=0, to_s=12)
        story.offers("2x", 250, from_s=12, to_s=24).meanwhile(12, 24, every=2, status=8).probes()

        finding = promise(story.told())

        assert finding.held is None
        assert "is 400 rps, but 250 were offered" in finding.sentence

    def test_surge_is_no_disturbance(self, promise: Clause) -> None:
        """A surge that is recorded as a fault of the service's traffic is what is judged."""
        story = surge().probes().fault("surge", "service", at_s=24, lasting_s=12)

        assert promise(story.told()).held
