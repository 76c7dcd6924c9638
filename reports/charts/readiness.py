"""Readiness against the truth: for how long a replica was said to be what it was not."""

from collections.abc import Iterator

from harness.contract import Limits
from harness.run import Scenario
from harness.truth import Confusion, Truth
from reports.charts.chart import Grid
from reports.words import seconds

_COLUMNS = (
    "replica",
    "by",
    "ready and able",
    "ready, not able",
    "not ready, but able",
    "not ready, not able",
)
_NAMED = 3  # replicas whose false readiness is told in words; the table names all


def readiness_table(scenario: Scenario) -> Grid | None:
    """Of each replica that a witness asked, by its own word and by what the balancer believed."""
    rows = [
        (each.replica, by, *_cells(confusion))
        for each in scenario.readiness
        for by, confusion in (("its own word", each.own), ("the balancer", each.believed))
    ]
    return Grid(_COLUMNS, tuple(rows)) if rows else None


def readiness_remarks(scenario: Scenario, limits: Limits) -> Iterator[str]:
    """A sentence for each replica that was ready by its own word, and not able, for too long."""
    lied = [t for t in scenario.readiness if t.own.longest_false_ready_s > limits.false_ready_s]
    lied.sort(key=lambda each: -each.own.longest_false_ready_s)
    for each in lied[:_NAMED]:
        yield _told(each)
    if len(lied) > _NAMED:
        yield f"So did {len(lied) - _NAMED:,} more; the table has their times."


def _told(truth: Truth) -> str:
    longest_s = truth.own.longest_false_ready_s
    return (
        f"{truth.replica} said that it was ready and could not answer for "
        f"{seconds(truth.own.false_ready_s)}, {seconds(longest_s)} of it without a break."
    )


def _cells(by: Confusion) -> tuple[str, ...]:
    return (
        seconds(by.true_ready_s),
        seconds(by.false_ready_s),
        seconds(by.false_unready_s),
        seconds(by.true_unready_s),
    )
