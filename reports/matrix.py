"""Verdicts as a matrix: what was done to the service down, the clauses across."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.contract import Outcome
from harness.history import FaultRecord
from harness.run import Run, Scenario
from reports.words import SIGNS, WORST_FIRST

_NO_FAULT = "no fault"
_WHOLE_RUN = "the whole run"
_TIMES = "\N{MULTIPLICATION SIGN}"
_PLACES = re.compile(r"\d+|\D+")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its short name, and what it stands for."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a row and a column meet: a sign, what it says, and the anchor that says more."""

    sign: str
    outcome: str
    anchor: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its name, a remark, and a cell for each column; None where they never met."""

    name: str
    remark: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows by columns, whatever they stand for."""

    title: str
    note: str
    corner: str  # what the rows are
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    """One verdict of a clause while a fault was around."""

    fault: str
    clause: str
    outcome: Outcome
    anchor: str


def matrix(run: Run) -> Matrix | None:
    """The worst verdict of each clause for each fault; None where there is but one of either."""
    judged = [
        each for place, scenario in enumerate(run.scenarios, 1) for each in _judged(scenario, place)
    ]
    statements = {verdict.id: verdict.statement for verdict in run.verdicts}
    faults = list(dict.fromkeys(each.fault for each in judged))
    if len(faults) < 2 or len(statements) < 2:
        return None
    ids = sorted(statements, key=_in_order)
    worst: dict[tuple[str, str], _Judged] = {}
    for each in judged:
        known = worst.setdefault((each.fault, each.clause), each)
        if WORST_FIRST.index(each.outcome) < WORST_FIRST.index(known.outcome):
            worst[each.fault, each.clause] = each
    last = (_NO_FAULT, _WHOLE_RUN)
    faults.sort(key=lambda name: last.index(name) if name in last else -1)
    return Matrix(
        title="Faults by clauses",
        note="the worst verdict in the scenarios with that fault, whatever else was done in them",
        corner="fault",
        columns=tuple(Column(id_, statements[id_]) for id_ in ids),
        lines=tuple(_line(fault, ids, judged, worst) for fault in faults),
    )


def _line(
    fault: str, ids: list[str], judged: list[_Judged], worst: Mapping[tuple[str, str], _Judged]
) -> Line:
    scenarios = {each.anchor for each in judged if each.fault == fault}
    cells = (_cell(worst.get((fault, id_))) for id_ in ids)
    remark = f"{_TIMES}{len(scenarios):,}" if len(scenarios) > 1 else ""
    return Line(fault, remark, tuple(cells))


def _cell(each: _Judged | None) -> Cell | None:
    if each is None:
        return None
    meaning = f"{each.clause} {each.outcome}, {each.fault}"
    return Cell(SIGNS[each.outcome], str(each.outcome), each.anchor, meaning)


def _judged(scenario: Scenario, place: int) -> Iterator[_Judged]:
    """Each verdict once for each kind of fault of its scenario."""
    kinds = tuple(dict.fromkeys(_kind(each) for each in scenario.history.faults)) or (_NO_FAULT,)
    for verdict in scenario.verdicts:
        for kind in (_WHOLE_RUN,) if verdict.scope == "run" else kinds:
            yield _Judged(kind, verdict.id, verdict.verdict, f"scenario-{place}")


def _kind(fault: FaultRecord) -> str:
    """A fault and the kind of its targets: ``kill of replica``, whichever replica it was."""
    kinds = dict.fromkeys(re.sub(r"-\d+$", "", each.split(" ")[0]) for each in fault.targets)
    return f"{fault.name} of {', '.join(kinds)}" if kinds else fault.name


def _in_order(id_: str) -> list[tuple[int, str]]:
    """S2 before S10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in _PLACES.findall(id_)]
