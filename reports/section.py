"""One scenario, ready to be shown: how it ended, its charts, its figures, its proofs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from harness.contract import Outcome
from harness.history import Generator
from harness.run import Scenario
from reports.charts import charts
from reports.charts.chart import Chart, Grid
from reports.charts.frame import frame
from reports.charts.recovery import Recovery, recovery
from reports.charts.scene import Terms
from reports.events import Happenings, happenings
from reports.evidence import Case, case
from reports.measure import stretches
from reports.notes import notes
from reports.payload import payload
from reports.proofs import Block, blocks
from reports.words import SIGNS, WORST_FIRST, milliseconds, number

_CONCLUSIONS = {"skipped": "—", "left out": "—", "inconclusive": "?", "failed": "✗"}


@dataclass(frozen=True, slots=True)
class Section:
    """All that the page shows of one scenario."""

    anchor: str
    title: str
    sign: str
    outcome: str
    node_id: str
    repeat: str
    conclusion: str
    message: str
    charts: tuple[Chart, ...]
    steps: Recovery | None
    figures: Grid
    notes: Grid
    proofs: tuple[Block, ...]
    generators: Grid
    suite: str  # the file that holds the test
    counts: tuple[tuple[str, str, int], ...]  # sign, outcome, verdicts: the worst first
    case: Case
    events: Happenings
    payload: Markup  # what the script reads of it

    @property
    def conclusion_sign(self) -> str:
        """The sign of a conclusion other than a judgement, which the verdicts may not share."""
        return _CONCLUSIONS.get(self.conclusion, self.sign)

    @property
    def ran(self) -> bool:
        """Whether there is anything to draw."""
        return any(chart.picture for chart in self.charts)


def section(
    scenario: Scenario, place: int, terms: Terms | None = None, folder: Path | None = None
) -> Section:
    """The section of one scenario, by the terms of its run; places count from one.

    The folder is that of the logs.
    """
    sign, outcome = standing(scenario)
    drawn = charts(scenario, terms)
    return Section(
        anchor=f"scenario-{place}",
        title=scenario.title or scenario.name,
        sign=sign,
        outcome=outcome,
        node_id=scenario.node_id,
        repeat=scenario.repeat,
        conclusion=scenario.conclusion,
        message=_message(scenario),
        charts=drawn,
        steps=recovery(scenario),
        figures=_figures(scenario),
        notes=notes(scenario.history),
        proofs=blocks(scenario.history),
        generators=_generators(scenario.history.generators),
        suite=scenario.node_id.partition("::")[0],
        counts=_counts(scenario),
        case=case(scenario, place, folder),
        events=happenings(scenario.history, frame(scenario)),
        payload=payload(scenario, drawn),
    )


def standing(scenario: Scenario) -> tuple[str, str]:
    """Sign and word for a whole scenario: its worst verdict, or why it has none."""
    found = {verdict.verdict for verdict in scenario.verdicts}
    if scenario.conclusion in _CONCLUSIONS and Outcome.BROKEN not in found:
        return _CONCLUSIONS[scenario.conclusion], scenario.conclusion
    for outcome in WORST_FIRST:
        if outcome in found:
            return SIGNS[outcome], str(outcome)
    return "—", "not judged"


def _counts(scenario: Scenario) -> tuple[tuple[str, str, int], ...]:
    found = Counter(verdict.verdict for verdict in scenario.verdicts)
    return tuple((SIGNS[each], str(each), found[each]) for each in WORST_FIRST if found[each])


def _message(scenario: Scenario) -> str:
    """Why it ended as it did; what the verdicts say in full is not said twice."""
    message = scenario.message
    for each in scenario.verdicts:
        evidence = "".join(f"\n    {line}" for line in each.evidence)
        in_full = f"{each.id} {each.verdict}: {each.sentence}{evidence}"
        brief = f"{each.id} is {each.verdict}, see below"
        message = message.replace(f"BrokenError: {in_full}", brief).replace(in_full, brief)
    return message


def _figures(scenario: Scenario) -> Grid:
    measured = [
        (
            each.name,
            f"{each.requests:,}",
            f"{each.failed:,}",
            f"{each.wrong:,}",
            milliseconds(each.p50_s),
            milliseconds(each.p99_s),
        )
        for each in stretches(scenario)
    ]
    return Grid(("when", "requests", "failed", "wrong", "p50", "p99"), tuple(measured))


def _generators(generators: tuple[Generator, ...]) -> Grid:
    columns = "generator,schedule,rate,planned,sent,lag p50,lag p99,lag max,retries,refused"
    return Grid(
        tuple(columns.split(",")),
        tuple(
            (
                each.name,
                each.schedule,
                f"{number(each.rate_rps)}/s",
                f"{each.planned:,}",
                f"{each.sent:,}",
                *(
                    milliseconds(lag_ms / 1000)
                    for lag_ms in (each.lag_p50_ms, each.lag_p99_ms, each.lag_max_ms)
                ),
                f"{each.retries:,}",
                f"{each.retries_refused:,}",
            )
            for each in generators
        ),
    )
