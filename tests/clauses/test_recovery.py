"""O4 and M4: what an overload or a stall leaves behind."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.clauses._recovery import settled_s
from harness.clauses.recovery import recovers_from_overload, recovers_from_stall
from tests.clauses.histories import Story

UNAVAILABLE = 14


@given(
    well=st.lists(st.booleans(), max_size=60),
    share=st.sampled_from([0.5, 0.9, 0.99]),
    needed=st.integers(1, 20),
)
def test_settled(well: list[bool], share: float, needed: int) -> None:
    """It is the first instant from which on the share of all requests, and enough, were well."""
    due_s = np.arange(len(well), dtype=float)
    tails = [well[place:] for place in range(len(well))]
    expected = [
        place
        for place, tail in enumerate(tails)
        if len(tail) >= needed and sum(tail) >= share * len(tail)
    ]
    shuffle = np.random.default_rng(len(well)).permutation(len(well))

    found = settled_s(due_s[shuffle], np.array(well, dtype=bool)[shuffle], share, needed)

    assert found == (expected[0] if expected else None)


def storm(*, after_s: float = 20.0, names: str = "0.8x") -> Story:
    """3x of 100 rps for 12 s, of which two thirds fail at all attempts; then 0.8x."""
    story = (
        Story(lasting_s=12 + after_s).fleet(3).capacity(100).offers("3x", 300, from_s=0, to_s=12)
    )
    story.offers(names, 80, from_s=12, to_s=12 + after_s)
    return story.meanwhile(0, 12, every=2, status=UNAVAILABLE, took_s=0.01, retries=1)


def led_by(failing: int) -> Story:
    """The same 3x after ten seconds of 0.8x, of which every so many failed.

    What comes after it fails to the end.
    """
    story = Story(lasting_s=42).fleet(3).capacity(100).offers("0.8x", 80, from_s=0, to_s=10)
    story.offers("3x", 300, from_s=10, to_s=22).offers("0.8x", 80, from_s=22, to_s=42)
    story.meanwhile(0, 10, every=failing, status=UNAVAILABLE)
    story.meanwhile(10, 22, every=2, status=UNAVAILABLE, took_s=0.01, retries=1)
    return story.meanwhile(22, 42, every=10, status=UNAVAILABLE)


class TestRecoversFromOverload:
    """O4."""

    def test_too_much_before(self) -> None:
        """Where 0.8x was too much before the overload already, it is not the overload's doing."""
        finding = recovers_from_overload(led_by(10).told())

        assert finding.held is None
        assert "before it 10.0% of the first attempts failed" in finding.sentence

    def test_well_before(self) -> None:
        """Where it was sustained before, it is."""
        assert recovers_from_overload(led_by(40).told()).held is False

    def test_at_once(self) -> None:
        """Where all is well as soon as the overload ends, it holds."""
        finding = recovers_from_overload(storm().told())

        assert finding.held
        assert finding.measured == 0.0
        assert "with 1,800 requests of 3,601 tried again" in finding.sentence

    def test_in_time(self) -> None:
        """Failures in the first seconds after it are allowed, and the time is measured."""
        story = storm(after_s=30).meanwhile(12, 16, every=10, status=UNAVAILABLE)

        finding = recovers_from_overload(story.told())

        assert finding.held
        assert 3 < float(finding.measured or 0) < 4.1

    def test_too_late(self) -> None:
        """Failures beyond ten seconds break it, and are cited."""
        story = storm(after_s=30).meanwhile(12, 23, every=10, status=UNAVAILABLE)

        finding = recovers_from_overload(story.told())

        assert finding.held is False
        assert 10 < float(finding.measured or 0) < 11.1
        assert "UNAVAILABLE from nobody, sent at +22." in finding.evidence[0]

    def test_never(self) -> None:
        """So does a service that never comes back."""
        finding = recovers_from_overload(
            storm().meanwhile(12, 32, every=10, status=UNAVAILABLE).told()
        )

        assert finding.held is False
        assert "never in 20.00 s of 0.8x" in finding.sentence

    def test_one_in_a_thousand(self) -> None:
        """One failure among more than a thousand calls is no sign of a service that is unwell."""
        finding = recovers_from_overload(storm().meanwhile(31, 31.013, status=UNAVAILABLE).told())

        assert finding.held

    def test_death(self) -> None:
        """A replica that dies of it breaks it, even where no request suffers."""
        story = storm().dies("replica-2", at_s=10)
        story.start("replica-4", at_s=10.4, instead_of="replica-2")

        finding = recovers_from_overload(story.told())

        assert finding.held is False
        assert "replica-2 died at +10.000 s with exit code 137" in finding.evidence

    def test_ended_by_itself(self) -> None:
        """Nor is an end with exit code 0 that had to be made good a matter of scaling down."""
        story = storm().dies("replica-2", at_s=10, exit_code=0)
        story.start("replica-4", at_s=10.4, instead_of="replica-2")

        assert recovers_from_overload(story.told()).held is False

    def test_sent_away(self) -> None:
        """A replica that is scaled down does not count as dead."""
        story = storm().dies("replica-3", at_s=30, exit_code=0).dies("replica-2", at_s=31)
        story.event("replica.stopping", "replica-2", at_s=30.9)

        assert recovers_from_overload(story.told()).held

    def test_watched_too_shortly(self) -> None:
        """A recovery that was not awaited is no evidence."""
        finding = recovers_from_overload(storm(after_s=8).told())

        assert finding.held is None
        assert "0.8x was watched for 8.0 s" in finding.sentence

    def test_nothing_after(self) -> None:
        """Without load below capacity afterwards there is none either."""
        finding = recovers_from_overload(storm(names="1x").told())

        assert finding.held is None
        assert "0.8x did not follow on 3x" in finding.sentence

    def test_rested(self) -> None:
        """A rest between the two would help the service, so it counts for nothing."""
        story = Story(lasting_s=40).fleet(3).capacity(100).offers("3x", 300, from_s=0, to_s=12)
        story.offers("0.8x", 80, from_s=15, to_s=40).meanwhile(0, 12, every=2, status=14)

        assert recovers_from_overload(story.told()).held is None

    def test_disturbed_afterwards(self) -> None:
        """Where a fault hits the recovery, the overload is not all that there was."""
        finding = recovers_from_overload(storm().fault("kill", "replica-2", at_s=20).told())

        assert finding.held is None
        assert "kill of replica-2 was in force while 0.8x was offered" in finding.sentence

    def test_no_overload(self) -> None:
        """Where 3x was served, it was none."""
        story = Story(lasting_s=40).fleet(3).capacity(100).offers("3x", 300, from_s=0, to_s=12)

        finding = recovers_from_overload(story.offers("0.8x", 80, from_s=12, to_s=40).told())

        assert finding.held is None
        assert "the load was not above the capacity" in finding.sentence

    def test_worse_of_two(self) -> None:
        """Of two overloads the one that was not recovered from decides."""
        story = storm(after_s=20)
        story.lasting_s = 80
        story.offers("3x", 300, from_s=40, to_s=52).offers("0.8x", 80, from_s=52, to_s=80)
        story.meanwhile(40, 52, every=2, status=14).meanwhile(52, 75, every=5, status=14)

        assert recovers_from_overload(story.told()).held is False


def stall(*, back_s: float = 16.0, after_s: float = 20.0, retries: int = 1) -> Story:
    """0.8x of 100 rps, with a stall from 10 to 13 s; calls fail, and are retried, until a time."""
    story = Story(lasting_s=13 + after_s).fleet(3).capacity(100)
    story.offers("0.8x", 80, from_s=0, to_s=13 + after_s)
    story.fault("pause", "database", at_s=10, lasting_s=3)
    return story.meanwhile(10, back_s, status=UNAVAILABLE, took_s=1.0, retries=retries)


class TestRecoversFromStall:
    """M4."""

    def test_back(self) -> None:
        """Goodput that is back after three seconds, and stays, holds."""
        finding = recovers_from_stall(stall().told())

        assert finding.held
        assert finding.measured == 3.0
        assert "pause of database cut goodput to" in finding.sentence

    def test_not_back(self) -> None:
        """A service that keeps failing under the same load breaks it: it is metastable."""
        finding = recovers_from_stall(stall(back_s=99).told())

        assert finding.held is False
        assert "goodput was not back 20 s after it" in finding.sentence

    def test_too_late(self) -> None:
        """So does one that is back after more than ten seconds."""
        finding = recovers_from_stall(stall(back_s=24.5).told())

        assert finding.held is False
        assert finding.measured == 12.0

    def test_restoration_proven_late(self) -> None:
        """The clock starts with the healing, and does not wait for the proof that it is over."""
        story = stall(back_s=24.5)
        story.faults = [
            replace(fault, restored_s=(fault.healed_s or 0.0) + 9) for fault in story.faults
        ]

        finding = recovers_from_stall(story.told())

        assert finding.held is False
        assert finding.measured == 12.0

    def test_relapse(self) -> None:
        """And one that does not stay well."""
        story = stall().meanwhile(28, 30, every=2, status=UNAVAILABLE)

        finding = recovers_from_stall(story.told())

        assert finding.held is False
        assert finding.measured == 17.0

    def test_late_answers(self) -> None:
        """Answers after the deadline are no goodput."""
        story = stall(after_s=30).meanwhile(13, 27, took_s=2.5)

        assert recovers_from_stall(story.told()).held is False

    def test_not_watched(self) -> None:
        """Where the load ended as soon as goodput was back, it is not known to stay."""
        finding = recovers_from_stall(stall(after_s=6).told())

        assert finding.held is None
        assert "5 s are needed to say that it stays" in finding.sentence

    def test_no_stall(self) -> None:
        """A fault that stalled nothing triggers nothing."""
        finding = recovers_from_stall(stall(back_s=10).told())

        assert finding.held is None
        assert "stalled nothing" in finding.sentence

    def test_no_retries(self) -> None:
        """Without retries nothing could have kept the overload up."""
        finding = recovers_from_stall(stall(retries=0).told())

        assert finding.held is None
        assert "nothing was tried again" in finding.sentence

    def test_other_load(self) -> None:
        """A stall under another load is another question."""
        story = stall()
        story.windows = [replace(w, name="0.5x") for w in story.windows if w.kind == "offered"]

        finding = recovers_from_stall(story.told())

        assert finding.held is None
        assert "no fault was healed while load just below capacity was offered" in finding.sentence

    def test_load_not_kept(self) -> None:
        """Seconds without any load are none in which goodput was back."""
        story = stall()
        story.loads = [(80.0, 0.0, 18.0)]

        assert recovers_from_stall(story.told()).held is False
