"""D6: what an acknowledged prediction means while the record store is away."""

from dataclasses import replace

import pytest

from harness.clauses.record_store import records_may_be_away
from tests.clauses.histories import Story

UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, INTERNAL = 14, 8, 4, 13


def away(
    status: int = UNAVAILABLE, *, back_s: float = 15.0, target: str = "database-path"
) -> Story:
    """A record store that is away from 10 to 15 s; requests are refused until a time."""
    story = Story(lasting_s=40).fleet(3).requests(50).steady(to_s=10)
    story.fault("refuse", target, at_s=10, lasting_s=5)
    return story.meanwhile(10.1, back_s, status=status, took_s=0.005)


class TestRecordsMayBeAway:
    """D6."""

    @pytest.mark.parametrize("status", [UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED])
    def test_refuses(self, status: int) -> None:
        """Typed refusals while it is away, and answers as soon as it is back, hold."""
        finding = records_may_be_away(away(status).told())

        assert finding.held
        assert finding.measured == 0.0
        assert "245 requests failed, all with a code that says why" in finding.sentence

    @pytest.mark.parametrize("id_", ["r-502", "r-900"])
    def test_false_acknowledgement(self, id_: str) -> None:
        """An acknowledged prediction that is not in the store breaks it."""
        finding = records_may_be_away(away().lose_record(id_).told())

        assert finding.held is False
        assert finding.measured == 1
        assert f"request {id_}: OK" in finding.evidence[0]

    def test_untyped(self) -> None:
        """A refusal with a code that does not say why breaks it."""
        finding = records_may_be_away(away().request("r-600", status=INTERNAL).told())

        assert finding.held is False
        assert finding.promised == "DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED or UNAVAILABLE"
        assert "request r-600: INTERNAL" in finding.evidence[0]

    def test_untyped_attempt(self) -> None:
        """So does an attempt, though a retry made it good."""
        finding = records_may_be_away(away().attempt("r-600", status=INTERNAL).told())

        assert finding.held is False
        assert "request r-600: attempt 1" in finding.evidence[0]

    def test_resumes_in_time(self) -> None:
        """Some seconds until acknowledgements resume are allowed, and measured."""
        finding = records_may_be_away(away(back_s=20).told())

        assert finding.held
        assert finding.measured == pytest.approx(5.0, abs=0.1)

    def test_resumes_late(self) -> None:
        """More than ten break it."""
        finding = records_may_be_away(away(back_s=26).told())

        assert finding.held is False
        assert finding.measured == pytest.approx(11.0, abs=0.1)
        assert "UNAVAILABLE from nobody, sent at +25." in finding.evidence[0]

    def test_never_resumes(self) -> None:
        """So does a service that never acknowledges again."""
        finding = records_may_be_away(away(back_s=99).told())

        assert finding.held is False
        assert finding.measured == 25.0

    def test_resumption_unseen(self) -> None:
        """Where nothing was watched after it, that acknowledgements resumed is not known."""
        story = away(back_s=99)
        story.lasting_s = 20

        finding = records_may_be_away(story.told())

        assert finding.held is None
        assert "after it too little was seen" in finding.sentence

    def test_next_fault(self) -> None:
        """What fails once another fault begins is not held against the first."""
        story = away().fault("kill", "replica-2", at_s=30).request("r-1700", status=14)
        story.request("r-1499", status=14, done_s=30.01)  # it was in flight

        assert records_may_be_away(story.told()).held

    def test_late_shows_that_it_was_missed(self) -> None:
        """Calls that wait for the store to come back show that it was away, too."""
        story = away(back_s=10.1).meanwhile(12, 14, took_s=1.5)

        assert records_may_be_away(story.told()).held

    def test_not_missed(self) -> None:
        """Where no call was refused or late, it is not shown that the store was needed."""
        finding = records_may_be_away(away(back_s=10.1).told())

        assert finding.held is None
        assert "no call was refused, failed or late" in finding.sentence

    def test_never_back(self) -> None:
        """Where the store never came back, nothing is known of what follows."""
        story = away()
        story.faults[0] = replace(story.faults[0], restored_s=None)

        assert records_may_be_away(story.told()).held is None

    def test_slow(self) -> None:
        """A slow store is not away."""
        story = Story().fleet(3).requests().fault("slow", "database-path", at_s=10)

        finding = records_may_be_away(story.told())

        assert finding.held is None
        assert "the record store was never away" in finding.sentence

    def test_no_look(self) -> None:
        """A service without a look into its store leaves the promise open."""
        finding = records_may_be_away(away().without_records().told())

        assert finding.held is None
        assert "offers no record store" in finding.sentence
