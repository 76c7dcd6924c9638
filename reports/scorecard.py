"""The scorecard: every verdict of the run as a row, the broken ones first."""

from dataclasses import dataclass

from markupsafe import Markup

from harness.contract import Outcome, Verdict
from harness.run import Run, Scenario
from reports.charts.bar import against_limit
from reports.words import SIGNS, WORST_FIRST, measured, promised


@dataclass(frozen=True, slots=True)
class Row:
    """One verdict, ready to be shown."""

    sign: str
    outcome: str
    id: str
    statement: str
    scenario: str
    section: str  # anchor of the scenario's section
    anchor: str  # of the evidence
    promised: str
    measured: str
    exact: str  # the measured number as run.json has it, empty where it is none
    bar: Markup
    sentence: str
    evidence: tuple[str, ...]

    @property
    def open(self) -> bool:
        """Whether its evidence is unfolded from the start."""
        return self.outcome != Outcome.HELD


def row(verdict: Verdict, scenario: Scenario, section: int, place: int) -> Row:
    """The row of one verdict; section and place count from one."""
    return Row(
        sign=SIGNS[verdict.verdict],
        outcome=str(verdict.verdict),
        id=verdict.id,
        statement=verdict.statement,
        scenario=scenario.title or scenario.name,
        section=f"scenario-{section}",
        anchor=f"evidence-{section}-{place}",
        promised=promised(verdict),
        measured=measured(verdict),
        exact=str(verdict.measured) if isinstance(verdict.measured, (int, float)) else "",
        bar=against_limit(verdict),
        sentence=verdict.sentence,
        evidence=verdict.evidence,
    )


def rows(scenario: Scenario, section: int) -> tuple[Row, ...]:
    """The rows of one scenario, in the order in which the clauses were judged."""
    return tuple(
        row(verdict, scenario, section, place)
        for place, verdict in enumerate(scenario.verdicts, start=1)
    )


def scorecard(run: Run) -> tuple[Row, ...]:
    """The rows of all scenarios: broken, then inconclusive, then held."""
    every = [
        each
        for section, scenario in enumerate(run.scenarios, start=1)
        for each in rows(scenario, section)
    ]
    return tuple(sorted(every, key=lambda each: WORST_FIRST.index(Outcome(each.outcome))))
