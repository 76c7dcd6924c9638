"""R2: readiness held against what a replica can do; and the confusion matrix behind it."""

from dataclasses import replace

import pytest

from harness.clauses.readiness_truth import readiness_is_true
from harness.truth import Truth, truths
from tests.clauses.histories import Story
from tests.clauses.witnessing import sample, witnessed


def calm() -> Story:
    """Three replicas that a witness asks twice a second."""
    return Story().fleet(3)


def of(story: Story, replica: str) -> Truth:
    """The matrix of one replica."""
    return {each.replica: each for each in truths(story.told())}[replica]


class TestMatrix:
    """Seconds in each of the four states."""

    def test_all_well(self) -> None:
        """Ready and right from begin to end, by its own word and in the balancer's belief."""
        truth = of(witnessed(calm()), "replica-1")

        assert truth.own.true_ready_s == pytest.approx(30, abs=0.6)
        assert truth.believed.true_ready_s == pytest.approx(30, abs=0.6)
        assert truth.own.false_ready_s == truth.own.false_unready_s == 0

    def test_false_ready(self) -> None:
        """What it could not do while it said that it was ready counts in seconds, and in a row."""
        truth = of(witnessed(calm(), replica_2=(10, 13)), "replica-2")

        assert truth.own.false_ready_s == pytest.approx(3, abs=0.5)
        assert truth.own.longest_false_ready_s == truth.own.false_ready_s

    def test_belief(self) -> None:
        """A well replica that the balancer leaves out is falsely unready by its belief alone."""
        story = witnessed(calm())
        story.event("balancer.routes", "balancer", at_s=10, replicas="replica-1, replica-2")
        story.event(
            "balancer.routes", "balancer", at_s=14, replicas="replica-1,replica-2,replica-3"
        )
        truth = of(story, "replica-3")

        assert truth.believed.false_unready_s == pytest.approx(4, abs=0.01)
        assert truth.believed.longest_false_unready_s == pytest.approx(4, abs=0.01)
        assert truth.own.false_unready_s == 0

    def test_start(self) -> None:
        """Before it is ready it says so rightly."""
        story = calm().start("replica-4", at_s=5, took_s=2.0, instead_of="replica-3")
        truth = of(witnessed(story), "replica-4")

        assert truth.own.true_unready_s == pytest.approx(1.7, abs=0.06)

    def test_death(self) -> None:
        """The dead say nothing: a sample speaks up to the death, and a stretch ends there."""
        truth = of(witnessed(calm().dies("replica-1", at_s=12)), "replica-1")

        assert truth.own.true_ready_s == pytest.approx(12, abs=0.6)

    def test_silence(self) -> None:
        """A single sample speaks for 3.5 s and not for half a minute."""
        story = sample(calm(), "replica-1", at_s=1, ready=True, correct=True)

        assert of(story, "replica-1").own.true_ready_s == 3.5

    def test_unwitnessed(self) -> None:
        """Without a witness there is no matrix."""
        assert truths(calm().told()) == ()


class TestReadinessIsTrue:
    """R2."""

    def test_held(self) -> None:
        """Words that are true hold, and the seconds are told."""
        finding = readiness_is_true(witnessed(calm()).told())

        assert finding.held
        assert finding.measured == 0
        assert "of 3 replicas" in finding.sentence

    def test_for_a_moment(self) -> None:
        """A probe's cycle of false readiness is allowed."""
        finding = readiness_is_true(witnessed(calm(), replica_1=(10, 11.4)).told())

        assert finding.held
        assert 0 < float(finding.measured or 0) <= 2

    def test_for_long(self) -> None:
        """More than that breaks it, cited with replica, instant and code."""
        finding = readiness_is_true(witnessed(calm(), replica_1=(10, 14)).told())

        assert finding.held is False
        assert "replica-1 said that it was ready at" in finding.evidence[0]
        assert "UNAVAILABLE" in finding.evidence[0]

    def test_shared_loss(self) -> None:
        """Typed refusals while the database is away are not held against readiness."""
        story = calm().fault("stop", "database", at_s=9.9, lasting_s=4.2)
        finding = readiness_is_true(witnessed(story, replica_1=(10, 14)).told())

        assert finding.held
        assert "of a shared loss left out" in finding.sentence

    def test_shared_loss_excuses_no_hanging(self) -> None:
        """While the database is away a replica must refuse: to say ready and hang breaks it."""
        story = witnessed(calm().fault("stop", "database", at_s=9.9, lasting_s=4.2))
        for number in range(40):
            sample(
                story,
                "replica-1",
                at_s=10 + number / 10,
                ready=True,
                correct=False,
                code="DEADLINE_EXCEEDED",
            )
        story.extra = [
            each
            for each in story.extra
            if each.details.get("code") != "OK" or not 1010 <= each.time_s < 1014
        ]

        assert readiness_is_true(story.told()).held is False

    def test_a_replicas_own_fault_excuses_nothing(self) -> None:
        """A replica that a fault broke must stop saying that it is ready."""
        story = calm().fault("kill child", "replica-1", at_s=9.9, lasting_s=4.2)

        assert readiness_is_true(witnessed(story, replica_1=(10, 14)).told()).held is False

    @pytest.mark.parametrize("target", ["cache", "cache-path", "balancer", "replica-9"])
    def test_what_not_all_depend_on(self, target: str) -> None:
        """A fault of anything but the database, the store or all replicas excuses nothing."""
        story = calm().fault("stop", target, at_s=9.9, lasting_s=4.2)

        assert readiness_is_true(witnessed(story, replica_1=(10, 14)).told()).held is False

    @pytest.mark.parametrize("target", ["database", "database-path", "store", "store-path"])
    def test_what_all_depend_on(self, target: str) -> None:
        """A fault of the database, of the store, or of the way there excuses typed refusals."""
        story = calm().fault("refuse", target, at_s=9.9, lasting_s=4.2)

        assert readiness_is_true(witnessed(story, replica_1=(10, 14)).told()).held

    def test_all_replicas(self) -> None:
        """So does one of all replicas that were ready; and not one of all but one of them."""
        names = ["replica-1", "replica-2", "replica-3"]
        whole = calm().start("replica-4", at_s=20, instead_of="replica-3")
        whole.fault("answer unready", *names, at_s=9.9, lasting_s=4.2)
        part = calm().fault("answer unready", *names[:2], at_s=9.9, lasting_s=4.2)

        assert readiness_is_true(witnessed(whole, replica_1=(10, 14)).told()).held
        assert readiness_is_true(witnessed(part, replica_1=(10, 14)).told()).held is False

    def test_before_the_shared_loss(self) -> None:
        """Refusals before the fault have no excuse in it."""
        story = calm().fault("stop", "database", at_s=12.4, lasting_s=4)

        finding = readiness_is_true(witnessed(story, replica_1=(10, 16)).told())

        assert finding.held is False
        assert float(finding.measured or 0) == pytest.approx(2.5, abs=0.3)

    def test_overtaken(self) -> None:
        """A sample that the fault overtook was refused in it, though it was begun before."""
        story = witnessed(calm().fault("stop", "database", at_s=9.9, lasting_s=4.2))
        story.extra = [
            replace(
                each,
                details={**each.details, "correct": False, "code": "UNAVAILABLE"}
                | {"latency_ms": 800.0},
            )
            if each.kind == "witness" and 1009.2 <= each.time_s <= 1014
            else each
            for each in story.extra
        ]

        finding = readiness_is_true(story.told())

        assert finding.held
        assert finding.measured == 0

    def test_unwitnessed(self) -> None:
        """Without a witness, or without one during a fault, there is no evidence."""
        blind = witnessed(calm().fault("pause", "replica-9", at_s=50, lasting_s=1))

        assert readiness_is_true(calm().told()).held is None
        assert readiness_is_true(blind.told()).held is None
