"""From verdicts to an exit status, and from scenarios to a run on disk."""

from pathlib import Path

import pytest

from harness.contract import Limits, Outcome, Verdict
from harness.errors import ExitStatus
from harness.history import FaultRecord, History
from harness.ledger import BrokenError, Entry, InconclusiveError, Ledger, demand
from harness.run import load
from tests.clauses.histories import Story

HELD, BROKEN, INCONCLUSIVE = Outcome.HELD, Outcome.BROKEN, Outcome.INCONCLUSIVE


def verdict(outcome: Outcome, id_: str = "T5", *evidence: str) -> Verdict:
    """A verdict with this outcome."""
    return Verdict(
        id_, "a promise", "story", outcome, 0, 3, "requests", "<=", f"{id_} is so", evidence
    )


def entry(*outcomes: Outcome, conclusion: str = "judged") -> Entry:
    """A scenario with these verdicts, and this conclusion."""
    history = History("story", 1.0, 2.0)
    verdicts = tuple(verdict(each) for each in outcomes)
    return Entry("story", "A promise", "test_story.py::story", history, verdicts, conclusion)


def ledger(*entries: Entry, harness_failed: bool = False) -> Ledger:
    """A ledger that holds these scenarios."""
    return Ledger("mf-1", 7, Limits(), list(entries), harness_failed=harness_failed)


STATUS = {
    "all held": (ledger(entry(HELD, HELD), entry(HELD)), 0),
    "one broken": (ledger(entry(HELD), entry(HELD, BROKEN)), 1),
    "one inconclusive": (ledger(entry(HELD), entry(INCONCLUSIVE)), 6),
    "broken and inconclusive": (ledger(entry(INCONCLUSIVE, BROKEN)), 1),
    "harness failed": (ledger(entry(HELD), harness_failed=True), 7),
    "harness failed, one broken": (ledger(entry(BROKEN), harness_failed=True), 1),
    "harness failed, one inconclusive": (ledger(entry(INCONCLUSIVE), harness_failed=True), 7),
    "harness failed, nothing judged": (ledger(harness_failed=True), 7),
    "one skipped": (ledger(entry(HELD), entry(conclusion="skipped")), 6),
    "one unproven": (ledger(entry(HELD), entry(conclusion="inconclusive")), 6),
    "one skipped, one broken": (ledger(entry(BROKEN), entry(conclusion="skipped")), 1),
    "a test failed by itself": (ledger(entry(HELD, conclusion="failed")), 1),
    "a test failed with the harness": (
        ledger(entry(HELD, conclusion="failed"), harness_failed=True),
        7,
    ),
    "nothing judged": (ledger(entry()), 6),
    "no scenario": (ledger(), 6),
}


@pytest.mark.parametrize(("book", "status"), STATUS.values(), ids=STATUS)
def test_exit_status(book: Ledger, status: int) -> None:
    """Broken outweighs a failed harness, which outweighs doubt; success needs a verdict."""
    assert book.exit_status() is ExitStatus(status)


def test_other_tests_failed() -> None:
    """A failure of a test that is no scenario counts as one of them."""
    assert ledger(entry(HELD)).exit_status(others_failed=True) is ExitStatus.BROKEN
    assert ledger(entry(HELD)).exit_status(others_failed=False) is ExitStatus.ALL_HELD


def test_demand_is_met() -> None:
    """Where all promises were held nothing is raised, nor where there were none."""
    demand([verdict(HELD), verdict(HELD)])
    demand([])


def test_demand_names_all_that_broke() -> None:
    """All broken promises are told with their evidence; doubtful ones do not hide them."""
    verdicts = [
        verdict(INCONCLUSIVE, "N2"),
        verdict(BROKEN, "T5", "request r-17", "request r-18"),
        verdict(HELD, "D3"),
        verdict(BROKEN, "D5", "record r-4"),
    ]

    with pytest.raises(BrokenError) as caught:
        demand(verdicts)

    assert str(caught.value).splitlines() == [
        "T5 broken: T5 is so",
        "    request r-17",
        "    request r-18",
        "D5 broken: D5 is so",
        "    record r-4",
    ]


def test_demand_in_doubt() -> None:
    """Where nothing broke but something could not be judged, that is an error of its own kind."""
    with pytest.raises(InconclusiveError, match=r"^N2 inconclusive: N2 is so\n    no request$"):
        demand([verdict(HELD), verdict(INCONCLUSIVE, "N2", "no request")])


def test_broken_is_a_failed_assertion() -> None:
    """Pytest counts a broken promise as a failure, and doubt as none of the assertion's."""
    assert issubclass(BrokenError, AssertionError)
    assert not issubclass(InconclusiveError, AssertionError)


def test_judging_adds_to_the_entry() -> None:
    """Verdicts belong to the entry, after those that it has, with the scope they were judged on."""
    book, scenario = ledger(), entry(HELD)
    history = Story(lasting_s=3.0).fleet(3).requests(rate_rps=50).told()

    told = book.judge(scenario, ("D3", "T5"), history, "run")

    assert [each.id for each in told] == ["D3", "T5"]
    assert {each.scope for each in told} == {"run"}
    assert [each.id for each in scenario.verdicts] == ["T5", "D3", "T5"]


def test_whole_run_skips_what_never_ended() -> None:
    """The history of the run spans the scenarios that have ended, under the asking one's name."""
    unstarted = Entry("x", "x", "x", History("x", 0.0, 0.0))
    first = Entry("a", "a", "a", History("a", 10.0, 20.0))
    second = Entry("b", "b", "b", History("b", 30.0, 40.0))

    whole = ledger(first, unstarted, second).whole_run("b")

    assert (whole.scenario, whole.began_s, whole.ended_s) == ("b", 10.0, 40.0)


def test_saved_run_can_be_loaded(tmp_path: Path) -> None:
    """What was saved is what is loaded: scenarios, verdicts, conditions, warnings, status."""
    judged = entry(HELD, BROKEN)
    judged.history = Story(lasting_s=3.0).fleet(3).requests(rate_rps=50).told()
    skipped = entry(conclusion="skipped")
    skipped.name, skipped.message = "other", "only 90% of the answers were right"
    book = ledger(judged, skipped)
    book.conditions["cores"] = 2
    book.warnings.append("the machine was busy")

    saved = book.save(tmp_path, 1)
    loaded = load(tmp_path)

    assert (loaded.id, loaded.seed, loaded.exit_status) == ("mf-1", 7, 1)
    assert loaded.conditions == {"cores": 2}
    assert loaded.warnings == ("the machine was busy",)
    assert loaded.verdicts == saved.verdicts == judged.verdicts
    assert [each.conclusion for each in loaded.scenarios] == ["judged", "skipped"]
    assert loaded.scenarios[1].message == "only 90% of the answers were right"
    assert len(loaded.scenarios[0].history.requests) == len(judged.history.requests) > 0


def test_saved_scenario_tells_how_to_repeat_it(tmp_path: Path) -> None:
    """Each scenario carries the command that runs it again with the same seed."""
    (scenario,) = ledger(entry(HELD)).save(tmp_path, 0).scenarios

    assert scenario.repeat == "pytest 'test_story.py::story' --seed 7"


def test_repeated_with_the_same_options(tmp_path: Path) -> None:
    """Where another resilience.toml was named, the command that repeats a scenario names it too."""
    book = ledger(entry(HELD))
    book.options = " --resilience examples/resilience.toml"

    (scenario,) = book.save(tmp_path, 0).scenarios

    assert scenario.repeat == (
        "pytest 'test_story.py::story' --seed 7 --resilience examples/resilience.toml"
    )


def test_phases_of_a_disturbed_scenario(tmp_path: Path) -> None:
    """A scenario with a fault has phase times, one without has none."""
    calm, disturbed = entry(HELD), entry(HELD)
    record = FaultRecord("story", "kill", ("replica-1",), 1.1, effect_s=1.2)
    disturbed.history = History("story", 1.0, 2.0, faults=(record,))

    saved = ledger(calm, disturbed).save(tmp_path, 0)

    assert saved.scenarios[0].phases == {}
    assert saved.scenarios[1].phases["ready_s"] is None
