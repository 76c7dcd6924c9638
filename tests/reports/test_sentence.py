"""The verdict in words."""

from dataclasses import replace

import pytest

from harness.contract import Verdict
from harness.history import History
from harness.run import Run, Scenario
from reports.sentence import sentence
from tests.reports import sample


def _scenario(*verdicts: Verdict, name: str = "kill") -> Scenario:
    return Scenario(name, f"Title of {name}.", "node", "repeat", History(name, 0.0, 1.0), verdicts)


def _verdicts(**outcomes: str) -> tuple[Verdict, ...]:
    return tuple(
        sample.verdict(id_, outcome, 1.0, sentence=f"what {id_} saw.")
        for id_, outcome in outcomes.items()
    )


TABLE = [
    (_verdicts(T1="held"), "The one clause held in 1 scenario."),
    (_verdicts(T1="held", T2="held"), "All 2 clauses held in 1 scenario."),
    (_verdicts(T1="broken"), "0 of 1 clause held. One is broken: T1, what T1 saw."),
    (
        _verdicts(T1="held", T5="broken", D3="inconclusive"),
        (
            "1 of 3 clauses held. One is broken: T5, what T5 saw. "
            "One could not be judged: D3, what D3 saw."
        ),
    ),
    (
        _verdicts(T1="broken", T2="broken", T3="broken"),
        "None of 3 clauses held. Three are broken: T1, what T1 saw; T2, what T2 saw; and 1 more.",
    ),
    (
        _verdicts(T1="inconclusive", T2="inconclusive"),
        "None of 2 clauses held. Two could not be judged: T1, what T1 saw; T2, what T2 saw.",
    ),
]


@pytest.mark.parametrize(("verdicts", "expected"), TABLE)
def test_verdict_in_words(verdicts: tuple[Verdict, ...], expected: str) -> None:
    """What held comes first, then what is broken, then what could not be judged."""
    assert expected == sentence(sample.run(_scenario(*verdicts)))


def test_clause_counts_once_with_its_worst_verdict() -> None:
    """A clause that held in one scenario and broke in two others is one broken clause."""
    outcomes = ("broken", "held", "broken")
    scenarios = [
        _scenario(*_verdicts(T5=outcome, N2="held"), name=f"s{index}")
        for index, outcome in enumerate(outcomes)
    ]

    assert sentence(sample.run(*scenarios)) == (
        "1 of 2 clauses held. One is broken: T5, what T5 saw (and in 1 more scenario)."
    )


def _skipped(name: str = "disk", message: str = "") -> Scenario:
    return replace(_scenario(name=name), conclusion="skipped", message=message)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (sample.run(), "Nothing was judged: the run has no scenario."),
        (sample.run(_scenario()), "Nothing was judged: no verdict came from 1 scenario."),
        (
            sample.run(_skipped(message="no device\ncgroup")),
            (
                "Nothing was judged: its one scenario was skipped. "
                "One scenario was skipped: Title of disk (no device cgroup)."
            ),
        ),
    ],
)
def test_nothing_judged_is_said(run: Run, expected: str) -> None:
    """A run without a verdict never sounds like one in which promises were kept."""
    assert expected == sentence(run)


def test_silent_scenarios_are_named() -> None:
    """A failed or skipped scenario stands in the sentence even where all clauses held."""
    failed = replace(_scenario(name="b"), conclusion="failed", message="engine stopped")
    run = sample.run(_scenario(*_verdicts(T1="held")), failed, _skipped(), exit_status=7)

    assert sentence(run) == (
        "The one clause held in 1 scenario. One scenario failed: Title of b (engine stopped). "
        "One scenario was skipped: Title of disk. "
        "The harness itself failed or leaked: exit status 7."
    )
