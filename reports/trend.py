"""Each clause over the last runs: what the worst of its scenarios measured in each of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.contract import Outcome
from harness.run import Run
from reports.change import strain
from reports.charts.chart import Grid
from reports.charts.sparkline import sparkline
from reports.digest import Digest, Point, digest
from reports.words import SIGNS, WORST_FIRST, day_and_time, measured, plural, promised

RUNS = 20  # at most, this one included
_LEAST = 3  # two runs are a comparison, no trend


@dataclass(frozen=True, slots=True)
class Trend:
    """One clause over the last runs."""

    id: str
    statement: str
    sign: str  # of the verdict in this run
    outcome: str
    now: str
    picture: Markup
    data: Grid


def trends(run: Run, earlier: Sequence[Digest]) -> tuple[Trend, ...]:
    """The clauses of this run that at least two earlier ones judged too, in order of their ids.

    Only scenarios of this run count: the worst of fewer scenarios is another figure.
    """
    here = digest(run)
    scenarios: dict[str, set[str]] = defaultdict(set)
    for each in here.points:
        scenarios[each.id].add(each.scenario)
    found: dict[str, list[tuple[Digest, Point]]] = {id_: [] for id_ in scenarios}
    for of in (here, *reversed(earlier)):
        for worst in _worst(of.points, scenarios):
            if len(found[worst.id]) < RUNS:
                found[worst.id].append((of, worst))
    statements = {each.id: each.statement for each in run.verdicts}
    return tuple(
        _trend(statements[id_], newest_first[::-1])
        for id_, newest_first in sorted(found.items())
        if len(newest_first) >= _LEAST
    )


def _worst(points: Iterable[Point], scenarios: dict[str, set[str]]) -> Iterator[Point]:
    """Of each clause the worst verdict, and of equal ones the one that strained its limit most."""
    result: dict[str, Point] = {}
    for each in points:
        if each.scenario not in scenarios.get(each.id, ()):
            continue
        known = result.get(each.id)
        if known is None or _badness(each) > _badness(known):
            result[each.id] = each
    yield from result.values()


def _badness(of: Point) -> tuple[int, float]:
    strained = strain(of)
    return -WORST_FIRST.index(of.verdict), float("-inf") if strained is None else strained


def _trend(statement: str, of_runs: Sequence[tuple[Digest, Point]]) -> Trend:
    points = [each for _, each in of_runs]
    now = points[-1]
    began_at = of_runs[-1][0].began_at
    counts = {outcome: sum(each.verdict is outcome for each in points) for outcome in Outcome}
    counted = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    rows = tuple(
        (
            day_and_time(of.began_at, began_at),
            f"{SIGNS[each.verdict]} {each.verdict}",
            measured(each),
            promised(each),
        )
        for of, each in of_runs
    )
    label = f"{now.id} in {plural(len(points), 'run')}: {counted}; last {measured(now)}"
    return Trend(
        now.id,
        statement,
        SIGNS[now.verdict],
        str(now.verdict),
        measured(now),
        sparkline(points, label),
        Grid(("run", "verdict", "measured", "promised"), rows),
    )
