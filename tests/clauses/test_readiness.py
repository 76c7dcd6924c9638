"""R1 and R3: what the health surfaces say, and whether they agree."""

from harness.clauses.readiness import always_live, surfaces_agree
from tests.clauses.histories import Story


def probed(**answers: bool | str) -> Story:
    """Three replicas probed throughout, while the record store is down for two seconds."""
    return Story().fleet(3).fault("stop", "postgres", at_s=5).probes(**answers)


class TestAlwaysLive:
    """R1."""

    def test_live(self) -> None:
        """Replicas that always say live hold, and both surfaces are counted."""
        finding = always_live(probed().told())

        assert finding.held
        assert finding.measured == 100.0
        assert "360 of 360 answers of ServerLive and livez" in finding.sentence

    def test_one_false(self) -> None:
        """One false answer breaks it, cited with replica and time."""
        story = probed().probe("replica-2", "ServerLive", False, at_s=6.25, number=99)

        finding = always_live(story.told())

        assert finding.held is False
        assert finding.evidence == ("replica-2 at +6.250 s: ServerLive false (OK)",)

    def test_no_answer(self) -> None:
        """No answer from a living replica is as bad as a false one."""
        story = probed().probe("replica-2", "livez", "DEADLINE_EXCEEDED", at_s=6.25, number=99)

        finding = always_live(story.told())

        assert finding.held is False
        assert "no answer (DEADLINE_EXCEEDED)" in finding.evidence[0]

    def test_paused(self) -> None:
        """A replica that a fault froze cannot answer, and that does not count."""
        story = probed().fault("pause", "replica-2", at_s=10)
        story.probe("replica-2", "livez", "DEADLINE_EXCEEDED", at_s=11, number=99)

        assert always_live(story.told()).held

    def test_paused_bystander(self) -> None:
        """While one replica is frozen, another must still answer."""
        story = probed().fault("pause", "replica-2", at_s=10)
        story.probe("replica-3", "livez", "DEADLINE_EXCEEDED", at_s=11, number=99)

        assert always_live(story.told()).held is False

    def test_before_first_and_at_the_end(self) -> None:
        """What a replica answers before it was first live, or as it dies, says nothing."""
        story = Story().fleet(3).kill("replica-1", at_s=8).probes()
        story.probe("replica-4", "livez", "UNAVAILABLE", at_s=8.9, number=98)
        story.probe("replica-1", "livez", "UNAVAILABLE", at_s=7.5, number=99)

        assert always_live(story.told()).held

    def test_restarted(self) -> None:
        """A death that no fault aimed at breaks it."""
        story = Story().fleet(3).fault("stop", "postgres", at_s=5)
        story.dies("replica-3", at_s=7, exit_code=0)
        story.start("replica-4", at_s=8, instead_of="replica-3").probes()

        finding = always_live(story.told())

        assert finding.held is False
        assert "replica-3 died" in finding.sentence
        assert "+7.000 s" in finding.evidence[0]

    def test_scaled_down(self) -> None:
        """A replica that was stopped on purpose, with none in its place, is no restart."""
        story = Story().fleet(3).dies("replica-3", at_s=7, exit_code=0).probes()

        assert always_live(story.told()).held

    def test_not_offered(self) -> None:
        """A surface that the service does not have is left out."""
        finding = always_live(probed(livez="UNIMPLEMENTED").told())

        assert finding.held
        assert "of ServerLive were" in finding.sentence

    def test_unprobed(self) -> None:
        """Without probes, or without one during the fault, there is no evidence."""
        calm = Story().fleet(3).probes().fault("stop", "postgres", at_s=5.1, lasting_s=0.1)

        assert always_live(Story().fleet(3).told()).held is None
        assert always_live(calm.told()).held is None


class TestSurfacesAgree:
    """R3."""

    def test_agree(self) -> None:
        """Surfaces that always say the same hold."""
        finding = surfaces_agree(probed().told())

        assert finding.held
        assert "ServerReady, ModelReady, health, readyz in 180 rounds" in finding.sentence

    def test_agree_on_no(self) -> None:
        """All surfaces saying not ready agree as well."""
        said = probed(ServerReady=False, ModelReady=False, health=False, readyz=False)

        assert surfaces_agree(said.told()).held

    def test_for_a_moment(self) -> None:
        """A disagreement no longer than the limit is a flip under way."""
        story = Story().fleet(1).probes()
        for number in (900, 901):
            story.probe("replica-1", "health", False, at_s=7.1 + number / 1000, number=number)
            story.probe("replica-1", "ServerReady", True, at_s=7.1 + number / 1000, number=number)

        assert surfaces_agree(story.told()).held

    def test_for_long(self) -> None:
        """A surface that says otherwise for longer breaks it, cited with replica and time."""
        finding = surfaces_agree(probed(health=False).told())

        assert finding.held is False
        assert float(finding.measured or 0) > 20
        assert finding.evidence[0].startswith("replica-1 from +0.000 s: ServerReady True")

    def test_one_model_unready(self) -> None:
        """ServerReady must be false where any one model is not ready."""
        story = probed()
        for number in range(60):
            story.probe("replica-2", "ModelReady", False, at_s=number / 2, number=number)

        assert surfaces_agree(story.told()).held is False

    def test_not_offered(self) -> None:
        """A surface that the service does not have is named, and the others are compared."""
        finding = surfaces_agree(probed(health="UNIMPLEMENTED").told())

        assert finding.held
        assert "not offered: health" in finding.sentence

    def test_single_surface(self) -> None:
        """One surface alone cannot disagree: no evidence."""
        only = dict.fromkeys(("ModelReady", "health", "readyz"), "UNIMPLEMENTED")

        assert surfaces_agree(probed(**only).told()).held is None

    def test_unprobed(self) -> None:
        """Too few rounds are no evidence."""
        assert surfaces_agree(Story(lasting_s=2).fleet(1).probes().told()).held is None


def test_never_live_once_ready_is_judged() -> None:
    """A replica that was ready, and never once said that it was live, is not passed over."""
    finding = always_live(probed(ServerLive=False).told())

    assert finding.held is False


def test_a_surface_that_never_answers_is_not_one_that_is_not_offered() -> None:
    """Only UNIMPLEMENTED means that a surface does not exist."""
    finding = surfaces_agree(probed(ServerReady="DEADLINE_EXCEEDED").told())

    assert finding.held is False
