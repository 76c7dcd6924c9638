"""How clauses say what they found: instants, counts and rows in words a report's reader knows."""

from collections.abc import Iterable

import numpy as np

from harness.contract import Finding, Number
from harness.history import History
from harness.tables import Table, text

EVIDENCE_LIMIT = 8

_STATUS = {
    0: "OK",
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
}


def at(history: History, time_s: float) -> str:
    """An instant as the report writes it: seconds from the start of the scenario."""
    return f"{time_s - history.began_s:+.3f} s"


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 request, 2,104 requests."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def status_name(code: int) -> str:
    """The name of a gRPC status code."""
    return _STATUS.get(int(code), f"status {code}")


def few(items: Iterable[str]) -> tuple[str, ...]:
    """As much of the evidence as one verdict carries; the last line says what was left out."""
    listed = tuple(items)
    if len(listed) <= EVIDENCE_LIMIT:
        return listed
    kept = listed[: EVIDENCE_LIMIT - 1]
    return (*kept, f"and {len(listed) - len(kept):,} more")


def earliest(rows: Table, column: str = "sent_s", limit: int = EVIDENCE_LIMIT) -> Table:
    """The first rows by time, then by id: the same ones however the table is ordered."""
    if len(rows) > 4 * limit:
        cut = np.partition(rows[column], limit)[limit]
        rows = rows[rows[column] <= cut]
    chosen: Table = rows[np.lexsort((rows["id"], rows[column]))][:limit]
    return chosen


def cite(history: History, rows: Table, remark: str = "") -> tuple[str, ...]:
    """One line for each of the first requests: its id, who answered what, and when it was sent."""
    lines = [
        f"request {text(row['id'])}: {status_name(row['status'])} "
        f"from {text(row['replica']) or 'nobody'}, sent at {at(history, row['sent_s'])}{remark}"
        for row in earliest(rows)
    ]
    if len(rows) > len(lines):
        lines[-1] = f"and {len(rows) - len(lines) + 1:,} more"
    return tuple(lines)


def cite_attempts(history: History, rows: Table) -> tuple[str, ...]:
    """One line for each of the first attempts: its request, how it ended, and after how long."""
    lines = [
        f"request {text(row['id'])}: attempt {int(row['number'])} sent at "
        f"{at(history, row['sent_s'])} ended {status_name(row['status'])} after "
        f"{(row['done_s'] - row['sent_s']) * 1000:.1f} ms"
        for row in earliest(rows)
    ]
    if len(rows) > len(lines):
        lines[-1] = f"and {len(rows) - len(lines) + 1:,} more"
    return tuple(lines)


def missing(
    promised: Number | str, unit: str, sentence: str, evidence: Iterable[str] = ()
) -> Finding:
    """The finding of a clause whose history holds no evidence either way."""
    return Finding(None, promised, None, unit, sentence, few(evidence))


def gravest(findings: Iterable[Finding]) -> Finding:
    """What was broken before what could not be judged, and that before what was held."""
    return min(findings, key=lambda finding: (False, None, True).index(finding.held))
