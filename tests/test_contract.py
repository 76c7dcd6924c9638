"""From a finding to a verdict: what a history must be able to carry."""

import pytest

from harness.contract import Clause, Finding, Limits, Outcome, Verdict, clause, judge
from harness.history import Event, Generator, History
from tests.clauses.histories import Story
from tests.clauses.telling import PROVEN, UNPROVEN


@clause("A1", "always holds", needs_load=True)
def holds(_history: History, _limits: Limits) -> Finding:
    """A promise about the load that is always kept."""
    return Finding(True, 0, 0, "requests", "0 of 10 requests failed")


@clause("A2", "always breaks")
def breaks(_history: History, _limits: Limits) -> Finding:
    """A promise about something else that never is."""
    return Finding(False, 0, 3, "records", "3 records were lost", ("r-1", "r-2", "r-3"))


@clause("A3", "raises")
def raises(_history: History, _limits: Limits) -> Finding:
    """A clause with a defect."""
    raise ZeroDivisionError("division by zero")


def generator(*, lag_p99_ms: float = 0.3, planned: int = 1000, sent: int = 1000) -> Generator:
    """What a load generator says of itself."""
    return Generator("main", 100.0, "constant", planned, sent, 0.1, lag_p99_ms, 2.0)


def loaded(*generators: Generator) -> History:
    """A history whose load came from these generators."""
    return History("story", 0.0, 10.0, generators=generators)


def one(subject: Clause, history: History) -> Verdict:
    """The verdict on one clause."""
    (verdict,) = judge([subject], history, Limits())
    return verdict


def test_held_and_broken() -> None:
    """A finding becomes a verdict with the clause's id, the scenario and the finding's figures."""
    verdicts = judge([holds, breaks], loaded(generator()), Limits())

    assert [each.verdict for each in verdicts] == [Outcome.HELD, Outcome.BROKEN]
    assert (verdicts[1].id, verdicts[1].scenario, verdicts[1].measured) == ("A2", "story", 3)
    assert verdicts[1].evidence == ("r-1", "r-2", "r-3")


def test_raising() -> None:
    """A clause that raises is inconclusive and says why; the others still count."""
    verdicts = judge([raises, breaks], loaded(), Limits())

    assert [each.verdict for each in verdicts] == [Outcome.INCONCLUSIVE, Outcome.BROKEN]
    assert "ZeroDivisionError: division by zero" in verdicts[0].sentence


def test_unproven_fault() -> None:
    """A fault without proof lets nothing be held, and what was found is still told."""
    history = Story().fault("kill", "replica-1", at_s=1, proof=UNPROVEN).told()

    verdict = one(holds, history)

    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert verdict.sentence.startswith("the fault kill is not proven; otherwise: ")


def test_unproven_fault_excuses_nothing() -> None:
    """What is broken is broken, whatever is known of the fault."""
    history = Story().fault("kill", "replica-1", at_s=1, proof=UNPROVEN).told()

    assert one(breaks, history).verdict is Outcome.BROKEN


def test_proven_fault() -> None:
    """A fault with all three proofs carries the verdict."""
    history = Story().fault("kill", "replica-1", at_s=1, proof=PROVEN).told()

    assert one(breaks, history).verdict is Outcome.BROKEN


@pytest.mark.parametrize(
    ("unwell", "why"),
    [
        (generator(lag_p99_ms=2.1), "lagged 2.10 ms behind its schedule"),
        (generator(sent=980), "did not send 2.00% of the planned requests"),
    ],
)
def test_unwell_generator(unwell: Generator, why: str) -> None:
    """A load that did not keep to its schedule carries no verdict on what needs load."""
    history = loaded(generator(), unwell)

    assert one(holds, history).verdict is Outcome.INCONCLUSIVE
    assert why in one(holds, history).sentence
    assert one(breaks, history).verdict is Outcome.BROKEN


def test_within_limits() -> None:
    """A little lag, and a few requests that were not sent, are within the limits."""
    history = loaded(generator(lag_p99_ms=2.0, sent=990))

    assert one(holds, history).verdict is Outcome.HELD


def test_inconclusive_stays() -> None:
    """A finding without evidence keeps its own sentence, whatever else is doubtful."""

    @clause("A4", "sees nothing", needs_load=True)
    def sees_nothing(_history: History, _limits: Limits) -> Finding:
        return Finding(None, 0, None, "records", "there was nothing to see")

    verdict = one(sees_nothing, loaded(generator(lag_p99_ms=9)))

    assert (verdict.verdict, verdict.sentence) == (
        Outcome.INCONCLUSIVE,
        "there was nothing to see",
    )


def test_own_limits() -> None:
    """A clause that is called alone judges by the contract's own limits."""
    seen: list[Limits] = []

    @clause("A5", "looks at the limits")
    def looks(_history: History, limits: Limits) -> Finding:
        seen.append(limits)
        return Finding(True, 0, 0, "requests", "")

    looks(loaded())

    assert seen == [Limits()]


def crowded(*others: float, stolen: float = 0.0) -> History:
    """A history in which neighbours took such shares of the processors, second by second."""
    events = tuple(
        Event(second + 0.5, "machine.used", "machine", {"others": share, "stolen": stolen})
        for second, share in enumerate(others)
    )
    return History("story", 0.0, 10.0, generators=(generator(),), events=events)


@clause("A4", "breaks in time", needs_quiet=True)
def is_late(_history: History, _limits: Limits) -> Finding:
    """A promise about time that is not kept."""
    return Finding(False, 1, 3, "s", "it took 3 s")


def test_crowded() -> None:
    """Where neighbours or a hypervisor took the processors, no promise about time is judged."""
    for history in (crowded(*[0.2] * 10), crowded(*[0.0] * 10, stolen=0.2)):
        for subject in (holds, is_late):
            verdict = one(subject, history)

            assert verdict.verdict is Outcome.INCONCLUSIVE
            assert "others took 20% of the machine's processors" in verdict.sentence
        assert one(breaks, history).verdict is Outcome.BROKEN


def test_crowded_for_a_moment() -> None:
    """One bad second may have broken a promise, but keeps none that was held from being held."""
    history = crowded(*[0.0] * 9, 0.6)

    assert one(holds, history).verdict is Outcome.HELD
    assert one(is_late, history).verdict is Outcome.INCONCLUSIVE
    assert "in some second others took 60%" in one(is_late, history).sentence


def test_quiet() -> None:
    """A little is always going on."""
    history = crowded(*[0.05] * 10)

    assert one(holds, history).verdict is Outcome.HELD
    assert one(is_late, history).verdict is Outcome.BROKEN
