"""A run in some kilobytes: what it takes to hold a later run against it.

One digest is one line of reports/runs/index.jsonl.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from harness.contract import Number, Outcome, Verdict
from harness.run import Run

SCHEMA = 1

Key: TypeAlias = tuple[str, str, int]
"""Scenario, clause, and how often the clause was judged there before."""


@dataclass(frozen=True, slots=True)
class Point:
    """One verdict: what was promised and measured for a clause in a scenario."""

    id: str
    scenario: str
    verdict: Outcome
    promised: Number | str
    measured: Number | str | None
    unit: str
    comparison: str  # how measured must stand to promised: <=, >= or ==


@dataclass(frozen=True, slots=True)
class Digest:
    """One run."""

    schema: int
    id: str
    began_at: str  # wall clock, ISO 8601 with time zone
    version: str  # of the harness that wrote it
    seed: int
    exit_status: int
    image: str  # what was tested: the condition of that name, empty where there is none
    points: tuple[Point, ...]


def digest(run: Run) -> Digest:
    """The digest of a run."""
    return Digest(
        schema=SCHEMA,
        id=run.id,
        began_at=run.began_at,
        version=run.version,
        seed=run.seed,
        exit_status=run.exit_status,
        image=str(run.conditions.get("image") or ""),
        points=tuple(map(point, run.verdicts)),
    )


def point(verdict: Verdict) -> Point:
    """What a digest keeps of a verdict."""
    return Point(
        verdict.id,
        verdict.scenario,
        verdict.verdict,
        verdict.promised,
        verdict.measured,
        verdict.unit,
        verdict.comparison,
    )


def keyed(points: Iterable[Point]) -> Mapping[Key, Point]:
    """The points of one run by what makes them the same in another run, in their order."""
    before: Counter[tuple[str, str]] = Counter()
    result: dict[Key, Point] = {}
    for each in points:
        name = (each.scenario, each.id)
        result[(*name, before[name])] = each
        before[name] += 1
    return result


def instant(began_at: str) -> datetime | None:
    """When a run began, to be held against other instants; None where it cannot be told."""
    try:
        moment = datetime.fromisoformat(began_at)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
