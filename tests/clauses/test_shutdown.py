"""T1: what a replica does when it is told to stop."""

import pytest

from harness.clauses.shutdown import stops_by_itself
from harness.contract import Limits
from harness.history import History
from tests.clauses.histories import Story


def stopped(**how: float) -> Story:
    """Three replicas under load, of which the second is told to stop after five seconds."""
    return Story().fleet(3).requests(rate_rps=100).stop("replica-2", at_s=5, **how)  # type: ignore[arg-type]


def cut(story: Story, id_: str, *, at_s: float) -> Story:
    """A call that the second replica had accepted, and did not finish."""
    return story.call(id_, "10.0.0.2:9000", "502", at_s=at_s)


def test_ends_by_itself() -> None:
    """A replica that drains and ends in time keeps the promise, and its time is measured."""
    finding = stops_by_itself(stopped(took_s=2.0).told())

    assert finding.held
    assert (finding.promised, finding.measured, finding.unit) == (8.0, 2.0, "s")
    assert "ended by itself 2.00 s after it was told to stop, with exit code 0" in finding.sentence
    (told,) = finding.evidence
    assert told == (
        "replica-2 was told to stop at +5.000 s; the balancer left it out at +6.000 s; it ended at "
        "+7.000 s with exit code 0"
    )


def test_ended_by_the_signal() -> None:
    """A process that SIGTERM itself ends has ended in time, too."""
    assert stops_by_itself(stopped(exit_code=143).told()).held


def test_ignores_the_signal() -> None:
    """A replica that SIGKILL had to end breaks it, whatever became of its calls."""
    finding = stops_by_itself(stopped(took_s=10.0, left_out_s=10.3, exit_code=137).told())

    assert finding.held is False
    assert (finding.promised, finding.measured) == ("exit code 0 or 143", "exit code 137")
    assert finding.sentence.startswith("SIGKILL ended replica-2 10.00 s after it was told to stop")
    assert "the balancer sent calls to it until its end" in finding.evidence[0]


def test_crashes_on_the_way_out() -> None:
    """Any other exit code breaks it: a supervisor takes it for a crash."""
    finding = stops_by_itself(stopped(exit_code=1).told())

    assert finding.held is False
    assert finding.sentence.startswith("replica-2 ended 2.00 s after it was told to stop, with")


@pytest.mark.parametrize(("took_s", "held"), [(8.0, True), (8.1, False)])
def test_too_late(took_s: float, held: bool) -> None:
    """An end so late that the least slowness would bring SIGKILL breaks it."""
    finding = stops_by_itself(stopped(took_s=took_s).told())

    assert finding.held is held
    assert finding.measured == took_s


def test_another_grace() -> None:
    """A platform may leave more time."""
    assert stops_by_itself(stopped(took_s=9.0).told(), Limits(stop_within_s=28.0)).held


def test_cuts_a_call_short() -> None:
    """A single accepted call that is not finished breaks it, though it is retried well."""
    finding = stops_by_itself(cut(stopped(), "r-600", at_s=6.0).told())

    assert finding.held is False
    assert (finding.promised, finding.measured, finding.unit) == (0, 1, "calls")
    assert finding.evidence[1] == ("request r-600: attempt 1 was at it, and ended 502 at +6.020 s")


def test_refused_calls() -> None:
    """A call that it refuses, and another replica answers, is not cut short."""
    story = stopped()
    story.call("r-600", "10.0.0.2:9000, 10.0.0.3:9000", "502, 200", at_s=6.0)

    assert stops_by_itself(story.told()).held


def test_cut_before_it_was_told() -> None:
    """What failed before the signal is not its doing."""
    assert stops_by_itself(cut(stopped(), "r-300", at_s=3.0).told()).held


def test_gravest() -> None:
    """Of several that are told to stop, the one that does not is what is found."""
    story = stopped().stop("replica-3", at_s=12, took_s=10.0, exit_code=137)

    finding = stops_by_itself(story.told())

    assert finding.held is False
    assert "SIGKILL ended replica-3" in finding.sentence


def test_slowest() -> None:
    """Of several that keep the promise the slowest is measured."""
    story = stopped().stop("replica-3", at_s=12, took_s=4.0)

    assert stops_by_itself(story.told()).measured == 4.0


def _inconclusive(history: History) -> str:
    finding = stops_by_itself(history)
    assert finding.held is None
    return finding.sentence


def test_nobody_was_told() -> None:
    """Without a replica that is told to stop there is nothing to judge; a killed one is none."""
    killed = Story().fleet(3).requests(rate_rps=100).kill("replica-2", at_s=5)
    store = Story().fleet(3).requests(rate_rps=100).fault("stop", "store", at_s=5)

    assert _inconclusive(killed.told()) == "no replica was told to stop"
    assert _inconclusive(store.told()) == "no replica was told to stop"


def test_end_not_seen() -> None:
    """Where the scenario ends before the replica does nobody knows how it would have ended."""
    story = stopped(took_s=60.0)

    assert _inconclusive(story.told()) == (
        "the end of replica-2, told to stop at +5.000 s, was not seen"
    )


def test_too_few_calls() -> None:
    """A replica that nobody calls shows nothing of what becomes of calls."""
    story = Story().fleet(3).requests(rate_rps=10).stop("replica-2", at_s=5)

    assert "20 needed to say that none is cut short" in _inconclusive(story.told())


def test_no_balancer_log() -> None:
    """Without the balancer's log no call is seen."""
    assert "0 of 0 calls" in _inconclusive(stopped().without_access_log().told())
