"""S7: a replica that starts while the model store is away."""

from dataclasses import replace

import pytest

from harness.clauses.model_store import start_heals_itself
from tests.clauses.histories import Story


def away(name: str = "refuse", *, lasting_s: float = 10.0, target: str = "store-path") -> Story:
    """Two replicas, and a model store that is disturbed from 5 s on."""
    return (
        Story(lasting_s=60).fleet(2).requests(20).fault(name, target, at_s=5, lasting_s=lasting_s)
    )


def started(took_s: float | None = 12.0, **told: object) -> Story:
    """A replica that is ordered 1 s after the store went away."""
    return away().start("replica-3", at_s=6, took_s=took_s, **told)  # type: ignore[arg-type]


class TestStartHealsItself:
    """S7."""

    def test_ready_afterwards(self) -> None:
        """A replica that is ready some seconds after the store is back holds."""
        finding = start_heals_itself(started().told())

        assert finding.held
        assert (finding.promised, finding.measured) == (30.0, 3.0)
        assert "replica-3, ordered at +6.000 s under refuse of store-path" in finding.sentence

    @pytest.mark.parametrize("target", ["store", "store-path"])
    def test_ready_too_late(self, target: str) -> None:
        """One that needs more than half a minute breaks it."""
        story = away(target=target).start("replica-3", at_s=6, took_s=39.5)

        finding = start_heals_itself(story.told())

        assert finding.held is False
        assert finding.measured == 30.5

    def test_never_ready(self) -> None:
        """So does one that never is."""
        finding = start_heals_itself(started(None).told())

        assert finding.held is False
        assert "still not ready 45.00 s after the store was back" in finding.sentence

    def test_not_yet_ready(self) -> None:
        """Where the scenario ends before its time is over, nothing is known."""
        story = started(None)
        story.lasting_s = 40

        finding = start_heals_itself(story.told())

        assert finding.held is None
        assert "not ready yet when the scenario ended" in finding.sentence

    def test_replaced(self) -> None:
        """A replica that gives up and is replaced heals by its successor."""
        story = started(None).dies("replica-3", at_s=9, exit_code=1)
        story.start("replica-4", at_s=10, took_s=8, instead_of="replica-3")

        finding = start_heals_itself(story.told())

        assert finding.held
        assert finding.evidence[0].startswith("replica-3, followed by replica-4, ordered at")

    def test_gave_up(self) -> None:
        """One that gives up, with nobody in its place, breaks it."""
        story = started(None).dies("replica-3", at_s=9, exit_code=1)

        assert start_heals_itself(story.told()).held is False

    def test_partial_file(self) -> None:
        """Another digest than the others' breaks it, however soon it was ready."""
        finding = start_heals_itself(started(2.0, digest="f" * 16).told())

        assert finding.held is False
        assert "replica-3 came up with digest ffffffffffffffff" in finding.sentence

    def test_far_from_golden(self) -> None:
        """So do outputs beyond the tolerance."""
        finding = start_heals_itself(started(difference=1e-3).told())

        assert finding.held is False
        assert "0.001 away from the golden outputs" in finding.sentence

    def test_failed_examination(self) -> None:
        """So does a replica that says it is ready, and is not."""
        why = "its answer to golden case 0 is wrong"
        story = started(None).event("replica.examination_failed", "replica-3", at_s=9, why=why)

        finding = start_heals_itself(story.told())

        assert finding.held is False
        assert why in finding.sentence

    def test_wrong_answer(self) -> None:
        """So does a wrong answer later on."""
        story = started().request("r-602", correct=0, replica="replica-3")

        finding = start_heals_itself(story.told())

        assert finding.held is False
        assert "replica-3 answered 1 request wrongly" in finding.sentence

    def test_needs_no_store(self) -> None:
        """A replica that has its model with it is ready before the store is back."""
        finding = start_heals_itself(started(1.5).told())

        assert finding.held
        assert "ready before the store was back" in finding.sentence

    @pytest.mark.parametrize("name", ["slow", "throttle"])
    @pytest.mark.parametrize(("took_s", "held"), [(20.0, True), (31.0, False)])
    def test_slow_store(self, name: str, took_s: float, held: bool) -> None:
        """Behind a slow store the start budget counts, from the order on."""
        story = away(name, lasting_s=50).start("replica-3", at_s=6, took_s=took_s)

        finding = start_heals_itself(story.told())

        assert finding.held is held
        assert finding.measured == took_s

    def test_killed(self) -> None:
        """A start that a fault ended is no evidence."""
        story = started(None).fault("kill", "replica-3", at_s=8).dies("replica-3", at_s=8.1)

        assert start_heals_itself(story.told()).held is None

    def test_another_killed(self) -> None:
        """A fault of another replica excuses nothing."""
        story = started(None).dies("replica-3", at_s=9, exit_code=1)

        assert start_heals_itself(story.fault("pause", "replica-1", at_s=8).told()).held is False

    def test_sent_away(self) -> None:
        """Nor is one that was ended on request."""
        story = started(None).dies("replica-3", at_s=50, exit_code=143)

        assert start_heals_itself(story.told()).held is None

    def test_ended_once_ready(self) -> None:
        """What becomes of it once it was ready does not matter."""
        story = started().dies("replica-3", at_s=50, exit_code=0)

        assert start_heals_itself(story.told()).held

    def test_never_back(self) -> None:
        """Where the store never came back, nothing could heal."""
        story = started(None)
        story.faults[0] = replace(story.faults[0], restored_s=None)

        finding = start_heals_itself(story.told())

        assert finding.held is None
        assert "never shown to be over" in finding.sentence

    @pytest.mark.parametrize("untold", [{"digest": None}, {"difference": None}])
    def test_untold(self, untold: dict[str, None]) -> None:
        """A start that tells no digest, or was not compared, leaves the promise open."""
        finding = start_heals_itself(started(**untold).told())  # type: ignore[arg-type]

        assert finding.held is None
        assert "not shown to serve the right model" in finding.sentence

    def test_nobody_undisturbed(self) -> None:
        """Without an undisturbed start there is nothing to compare with."""
        story = Story(lasting_s=60).fault("refuse", "store", at_s=5, lasting_s=10)

        finding = start_heals_itself(story.start("replica-1", at_s=6, took_s=12).told())

        assert finding.held is None
        assert "compares with nothing" in finding.sentence

    def test_another_version(self) -> None:
        """A model of another version has another digest: it compares with nothing here."""
        finding = start_heals_itself(started(version="2", digest="f" * 16).told())

        assert finding.held is None
        assert "compares with nothing" in finding.sentence

    def test_no_start(self) -> None:
        """Without a start in that time there is no evidence."""
        finding = start_heals_itself(away().start("replica-3", at_s=20).told())

        assert finding.held is None
        assert "no replica was ordered while the model store was disturbed" in finding.sentence
