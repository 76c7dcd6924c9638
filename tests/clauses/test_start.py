"""S2 and S8: how long starts take, and what they bring up."""

from harness.clauses.start import bounded_start, deterministic_start
from tests.clauses.histories import Story


def twelve_starts(**last: float | None) -> Story:
    """Twelve starts, of which the last may take another time than the others."""
    story = Story(lasting_s=60)
    for number in range(1, 12):
        story.start(f"replica-{number}", at_s=3.0 * number, took_s=1.0 + number / 100)
    return story.start("replica-12", at_s=38, took_s=last.get("took_s", 1.1))


class TestBoundedStart:
    """S2."""

    def test_alike(self) -> None:
        """Starts that take much the same time, within the budget, hold."""
        finding = bounded_start(twelve_starts().told())

        assert finding.held
        assert finding.measured == 1.104
        assert "12 starts" in finding.sentence

    def test_slow(self) -> None:
        """Starts beyond the budget's share break it, and the slowest is named with its time."""
        story = Story(lasting_s=300)
        for number in range(12):
            story.start(f"replica-{number}", at_s=20.0 * number, took_s=25.0)

        finding = bounded_start(story.told())

        assert finding.held is False
        assert (finding.measured, finding.promised) == (25.0, 24.0)
        assert "replica-0: 25.000 s, ordered at +0.000 s" in finding.evidence[0]

    def test_uneven(self) -> None:
        """Starts within the budget, but with too wide a spread, break it."""
        story = twelve_starts(took_s=9.0).start("replica-13", at_s=48, took_s=9.5)

        finding = bounded_start(story.told())

        assert finding.held is False
        assert float(finding.measured or 0) > float(finding.promised)
        assert "replica-13: 9.500 s" in finding.evidence[0]

    def test_side_by_side(self) -> None:
        """Starts that ran at the same time are named, for they share the machine."""
        story = twelve_starts().start("replica-13", at_s=38.5, took_s=1.2)

        finding = bounded_start(story.told())

        assert "2 ran side by side" in finding.sentence
        assert "beside replica-12" in finding.evidence[0]

    def test_never_ready(self) -> None:
        """A replica older than the budget without a correct answer breaks it, even alone."""
        story = Story(lasting_s=60).fleet(2).start("replica-3", at_s=5, took_s=None)

        finding = bounded_start(story.told())

        assert finding.held is False
        assert "replica-3 never gave a correct answer" in finding.sentence

    def test_crashed(self) -> None:
        """A replica that dies by itself before it is ready breaks it."""
        story = Story().fleet(2).start("replica-3", at_s=5, took_s=None)

        finding = bounded_start(story.dies("replica-3", at_s=6, exit_code=1).told())

        assert finding.held is False
        assert "exit code 1" in finding.evidence[0]

    def test_killed_while_starting(self) -> None:
        """A replica that a fault killed before it was ready is left out, and that is said."""
        story = twelve_starts().start("replica-13", at_s=5, took_s=None)
        story.dies("replica-13", at_s=6).fault("kill", "replica-13", at_s=5.9)

        finding = bounded_start(story.told())

        assert finding.held
        assert "1 that ended before they were ready left out" in finding.sentence

    def test_still_starting(self) -> None:
        """A replica that is younger than the budget says nothing yet."""
        story = twelve_starts().start("replica-13", at_s=59, took_s=None)

        assert bounded_start(story.told()).held

    def test_few(self) -> None:
        """Too few starts are no evidence, and the sentence says how many there were."""
        finding = bounded_start(Story().fleet(3).told())

        assert finding.held is None
        assert "3 starts seen, 10 needed" in finding.sentence


class TestDeterministicStart:
    """S8."""

    def test_one_digest(self) -> None:
        """Starts of one digest that agree with the golden outputs hold."""
        finding = deterministic_start(Story().fleet(5).told())

        assert finding.held
        assert "5 starts on 5 hosts and 5 addresses" in finding.sentence

    def test_two_digests(self) -> None:
        """A start with another digest breaks it, and the replica is named."""
        story = Story().fleet(5).start("replica-6", at_s=2, digest="f" * 16)

        finding = deterministic_start(story.told())

        assert finding.held is False
        assert f"{'f' * 16} on replica-6" in finding.sentence

    def test_far_from_golden(self) -> None:
        """Outputs beyond the tolerance break it."""
        story = Story().fleet(5).start("replica-6", at_s=2, difference=1e-3)

        finding = deterministic_start(story.told())

        assert finding.held is False
        assert finding.measured == 1e-3
        assert "replica-6" in finding.sentence

    def test_few(self) -> None:
        """Too few starts are no evidence."""
        assert deterministic_start(Story().fleet(4).told()).held is None

    def test_one_address(self) -> None:
        """Starts that all had the same address do not show that the address does not matter."""
        story = Story()
        for number in range(6):
            story.start(f"replica-{number}", at_s=number, address="10.0.0.1:9000")

        assert deterministic_start(story.told()).held is None

    def test_untold(self) -> None:
        """A start that tells no digest, or was not compared, leaves the promise open."""
        untold = Story().fleet(5).start("replica-6", at_s=2, digest=None).told()
        uncompared = Story().fleet(5).start("replica-6", at_s=2, difference=None).told()

        assert deterministic_start(untold).held is None
        assert deterministic_start(uncompared).held is None


class TestExaminations:
    """S2 and S8: a replica that said it was ready, and whose golden answers were no good."""

    def story(self) -> Story:
        """Twelve good starts, and one whose first golden answer was wrong."""
        story = twelve_starts().start("replica-13", at_s=45, took_s=None)
        why = "its answer to golden case 0 is wrong"
        return story.event("replica.examination_failed", "replica-13", at_s=46.5, why=why)

    def test_bounded_start_is_broken(self) -> None:
        """It never gave a correct answer, however little time has passed since."""
        assert bounded_start(self.story().told()).held is False

    def test_deterministic_start_is_broken(self) -> None:
        """It did not bring up the same model."""
        finding = deterministic_start(self.story().told())

        assert finding.held is False
        assert "golden case 0 is wrong" in finding.sentence


def test_an_end_with_zero_that_had_to_be_replaced_is_no_excuse() -> None:
    """A start that ends by itself is a failed start, whatever exit code it names."""
    story = twelve_starts().start("replica-13", at_s=40, took_s=None)
    story.dies("replica-13", at_s=42, exit_code=0)
    story.start("replica-14", at_s=42.1, took_s=1.1, instead_of="replica-13")

    assert bounded_start(story.told()).held is False
