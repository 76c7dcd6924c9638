"""One scenario, ready to be shown: how it ended, its charts, its figures, its proofs."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.contract import Outcome
from harness.history import FaultRecord, Generator, Proof
from harness.run import Scenario
from reports.charts import CHARTS
from reports.charts.chart import Chart, Grid
from reports.charts.recovery import Step, recovery
from reports.measure import stretches
from reports.scorecard import Row, rows
from reports.words import SIGNS, WORST_FIRST, milliseconds, number, seconds

_NOT_JUDGED = {"skipped": "—", "failed": "✗"}


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One proof of a fault, or the lack of one."""

    fault: str
    targets: str
    shows: str
    statement: str
    seen: str
    at: str
    sign: str
    word: str
    outcome: str


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
    steps: tuple[Step, ...]
    figures: Grid
    proofs: tuple[ProofRow, ...]
    generators: Grid
    rows: tuple[Row, ...]

    @property
    def ran(self) -> bool:
        """Whether there is anything to draw."""
        return any(chart.picture for chart in self.charts)


def section(scenario: Scenario, place: int) -> Section:
    """The section of one scenario; places count from one."""
    sign, outcome = standing(scenario)
    return Section(
        anchor=f"scenario-{place}",
        title=scenario.title or scenario.name,
        sign=sign,
        outcome=outcome,
        node_id=scenario.node_id,
        repeat=scenario.repeat,
        conclusion=scenario.conclusion,
        message=scenario.message,
        charts=tuple(chart(scenario) for chart in CHARTS),
        steps=recovery(scenario),
        figures=_figures(scenario),
        proofs=tuple(_proofs(scenario)),
        generators=_generators(scenario.history.generators),
        rows=rows(scenario, place),
    )


def standing(scenario: Scenario) -> tuple[str, str]:
    """Sign and word for a whole scenario: its worst verdict, or why it has none."""
    found = {verdict.verdict for verdict in scenario.verdicts}
    if scenario.conclusion in _NOT_JUDGED and Outcome.BROKEN not in found:
        return _NOT_JUDGED[scenario.conclusion], scenario.conclusion
    for outcome in WORST_FIRST:
        if outcome in found:
            return SIGNS[outcome], str(outcome)
    return "—", "not judged"


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


def _proofs(scenario: Scenario) -> Iterator[ProofRow]:
    began_s = scenario.history.began_s
    for fault in scenario.history.faults:
        baseline = (("baseline", fault.proof.baseline),) if fault.proof.baseline else ()
        kinds = (
            *baseline,
            ("effect", fault.proof.effect),
            ("bystander", fault.proof.bystander),
            ("restored", fault.proof.restored),
        )
        for shows, proofs in kinds:
            for proof in proofs:
                yield _proof(fault, shows, proof, began_s)
            if not proofs:
                yield ProofRow(
                    fault.name,
                    ", ".join(fault.targets),
                    shows,
                    "nothing was shown",
                    "",
                    "—",
                    SIGNS[Outcome.INCONCLUSIVE],
                    "no proof",
                    "inconclusive",
                )


def _proof(fault: FaultRecord, shows: str, proof: Proof, began_s: float) -> ProofRow:
    outcome = Outcome.HELD if proof.proven else Outcome.BROKEN
    return ProofRow(
        fault=fault.name,
        targets=", ".join(fault.targets),
        shows=shows,
        statement=proof.statement,
        seen=f"{proof.seen}{_bounds(proof)}",
        at=seconds(proof.time_s - began_s),
        sign=SIGNS[outcome],
        word="proven" if proof.proven else "not proven",
        outcome=str(outcome),
    )


def _bounds(proof: Proof) -> str:
    """What a number had to lie between."""
    if proof.least is None or proof.most is None:
        return ""
    return f" ({proof.least:.4g} to {proof.most:.4g} {proof.unit} expected)"


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
