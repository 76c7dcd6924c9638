"""What each verdict of a scenario rests on: what happened, the requests that it names, the logs."""

from dataclasses import dataclass
from pathlib import Path

from harness.contract import Outcome
from harness.fleet import lives
from harness.run import Scenario
from reports.charts.chart import Grid
from reports.happened import Fact, happened, names
from reports.logs import Logs, logs
from reports.requests import grid, named, named_by, without
from reports.scorecard import Row, rows
from reports.words import WORST_FIRST


@dataclass(frozen=True, slots=True)
class Evidence:
    """One verdict with all that is shown for it."""

    row: Row
    happened: tuple[Fact, ...] = ()
    requests: Grid | None = None
    lines: tuple[str, ...] = ()  # of the verdict's evidence, those that the table does not hold


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence of a scenario: first what needs a reader, then what was held."""

    doubtful: tuple[Evidence, ...]  # broken, then inconclusive
    held: tuple[Evidence, ...]
    logs: Logs


def case(scenario: Scenario, place: int, folder: Path | None) -> Case:
    """The evidence of one scenario; its place counts from one, the folder is that of the logs."""
    history = scenario.history
    fleet = lives(history.events)
    known = named(scenario, fleet)
    found, concerned = [], []
    for verdict, row in zip(scenario.verdicts, rows(scenario, place), strict=True):
        if verdict.verdict is Outcome.HELD:
            found.append(Evidence(row, lines=row.evidence))
            continue
        requests = named_by(verdict, known)
        said: tuple[Fact, ...] = ()
        if verdict.verdict is Outcome.BROKEN:
            said = happened(verdict, history, fleet, requests)
            concerned += [*names(verdict, fleet), *(r for each in requests for r in each.replicas)]
        table = grid(requests, verdict, history.began_s) if requests else None
        found.append(Evidence(row, said, table, without(row.evidence, requests)))
    found.sort(key=lambda each: WORST_FIRST.index(Outcome(each.row.outcome)))
    if any(each.row.outcome == Outcome.BROKEN for each in found):
        concerned += [target for fault in history.faults for target in fault.targets]
    ended = {life.name for life in fleet.values() if life.died_s is not None}
    return Case(
        doubtful=tuple(each for each in found if each.row.open),
        held=tuple(each for each in found if not each.row.open),
        logs=logs(folder, (name for name in concerned if name in fleet), ended),
    )
