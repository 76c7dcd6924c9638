"""S4, S5 and R6: what replicas say of themselves while they start, and without their model."""

from harness.clauses.readiness_starts import (
    empty_is_not_ready,
    more_than_a_server,
    not_ready_too_soon,
)
from tests.clauses.histories import Story
from tests.clauses.witnessing import (
    probed_while_starting,
    sample,
    spare_without_model,
    witnessed,
)


class TestNotReadyTooSoon:
    """S4."""

    def test_held(self) -> None:
        """Five starts of a hundred samples each, and none that was ready too soon."""
        finding = not_ready_too_soon(witnessed(Story().fleet(6)).told())

        assert finding.held
        assert "in 6 starts said ready and could not answer" in finding.sentence

    def test_too_soon(self) -> None:
        """One sample that said ready before it could answer breaks it."""
        story = Story().fleet(6).start("replica-7", at_s=5, took_s=2.0)
        sample(witnessed(story), "replica-7", at_s=6.9, ready=True, correct=False)

        finding = not_ready_too_soon(story.told())

        assert finding.held is False
        assert finding.measured == 1
        assert finding.evidence[0] == (
            "replica-7 at +6.900 s: ready, and a golden request ended UNAVAILABLE"
        )

    def test_later_on(self) -> None:
        """What befalls it long after its start is no matter of its start."""
        story = witnessed(Story().fleet(6), replica_6=(20, 22))

        assert not_ready_too_soon(story.told()).held

    def test_dying(self) -> None:
        """A replica that is killed may break off between word and deed."""
        story = Story().fleet(6).start("replica-7", at_s=5, took_s=1.5)
        story.kill("replica-7", at_s=12)
        sample(witnessed(story), "replica-7", at_s=11.9, ready=True, correct=False)

        assert not_ready_too_soon(story.told()).held

    def test_too_few(self) -> None:
        """Four starts are not enough, nor are starts that were watched from their readiness on."""
        late = Story().fleet(6)
        for start in late.starts.values():
            for number in range(120):
                at_s = start.life.ready_s or 0.0
                sample(
                    late, start.life.name, at_s=at_s - 999 + number / 20, ready=True, correct=True
                )

        assert not_ready_too_soon(witnessed(Story().fleet(4)).told()).held is None
        assert not_ready_too_soon(late.told()).held is None


class TestEmptyIsNotReady:
    """S5."""

    def test_held(self) -> None:
        """A replica without its model that always says "not ready" holds."""
        finding = empty_is_not_ready(spare_without_model(Story().fleet(3), at_s=5).told())

        assert finding.held
        assert "spare-4" in finding.sentence

    def test_ready(self) -> None:
        """One that says ready, or lets a witness see it so, breaks it."""
        told = spare_without_model(Story().fleet(3), at_s=5, said=True)
        seen = spare_without_model(Story().fleet(3), at_s=5)
        sample(seen, "spare-4", at_s=6, ready=True, correct=False)

        assert empty_is_not_ready(told.told()).held is False
        assert empty_is_not_ready(seen.told()).held is False

    def test_none(self) -> None:
        """Without such a replica, or where it was hardly asked, there is no evidence."""
        hardly = spare_without_model(Story().fleet(3), at_s=5, for_s=0.75)

        assert empty_is_not_ready(Story().fleet(3).told()).held is None
        assert empty_is_not_ready(hardly.told()).held is None


class TestMoreThanAServer:
    """R6."""

    def test_held(self) -> None:
        """Servers that run and say "not ready" until their model is there hold."""
        finding = more_than_a_server(probed_while_starting(Story().fleet(3)).told())

        assert finding.held
        assert "on 3 servers without a model" in finding.sentence

    def test_passes_for_ready(self) -> None:
        """A surface that says ready as soon as the server runs breaks it."""
        story = probed_while_starting(Story().fleet(3))
        story.probe("replica-3", "ModelReady", True, at_s=-4.5, number=-998)

        finding = more_than_a_server(story.told())

        assert finding.held is False
        assert "replica-3 at -4.500 s: ModelReady true" in finding.evidence[0]

    def test_without_model(self) -> None:
        """One without its model that passes for ready breaks it."""
        story = spare_without_model(Story().fleet(3), at_s=5, said=True)

        assert more_than_a_server(story.told()).held is False

    def test_nobody_listened(self) -> None:
        """A server that is not there yet is no evidence."""
        story = Story().fleet(1)
        for number in range(20):
            story.probe("replica-1", "health", "UNAVAILABLE", at_s=-4 + number / 20, number=number)

        assert more_than_a_server(story.told()).held is None
