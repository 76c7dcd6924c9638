"""Figures that the report takes from a history: outcomes, and counts for stretches of time."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.history import History, Window, latency_s
from harness.run import Scenario
from harness.tables import WRONG, Table

Mask: TypeAlias = NDArray[np.bool_]
Times: TypeAlias = NDArray[np.float64]

_LONGEST_TARGET = 20  # letters, in the name of a window


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch of time that the charts shade: a fault in force, or the recovery after it."""

    kind: str  # fault | recovery
    name: str
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of each request, in the order of their intended send times: a column each."""

    intended_s: Times
    latency_s: Times
    failed: Mask
    wrong: Mask


@dataclass(frozen=True, slots=True)
class Figures:
    """What the requests of one stretch of time came to. Percentiles are of the good answers."""

    name: str
    began_s: float
    ended_s: float
    requests: int
    failed: int
    wrong: int
    p50_s: float | None
    p99_s: float | None


def failed(requests: Table) -> Mask:
    """Which requests ended without an answer."""
    result: Mask = requests["status"] != 0
    return result


def wrong(requests: Table) -> Mask:
    """Which requests were answered with something else than the golden answer."""
    result: Mask = (requests["status"] == 0) & (requests["correct"] == WRONG)
    return result


def effect_s(history: History) -> float | None:
    """When the first fault's effect was proven: phase times count from here."""
    proven = [each.effect_s for each in history.faults if each.effect_s is not None]
    began = [each.began_s for each in history.windows_of("fault")]
    return min(proven or began, default=None)


def shades(scenario: Scenario) -> tuple[Shade, ...]:
    """The fault windows in order, and the recovery that follows the last of them."""
    history = scenario.history
    faults = tuple(
        Shade("fault", _named(each, history), each.began_s, each.ended_s)
        for each in sorted(history.windows_of("fault"), key=lambda each: each.began_s)
    )
    begin_s = effect_s(history)
    key = next((key for key in ("recovered_s", "recovered") if key in scenario.phases), None)
    if not faults or key is None or begin_s is None:
        return faults
    healed_s = max(each.ended_s for each in faults)
    recovered_s = scenario.phases[key]
    if recovered_s is None:
        return (*faults, Shade("recovery", "not recovered", healed_s, history.ended_s))
    if begin_s + recovered_s <= healed_s:
        return faults
    return (*faults, Shade("recovery", "recovering", healed_s, begin_s + recovered_s))


def _named(window: Window, history: History) -> str:
    """The name of a fault with what it was aimed at, such as ``kill replica-2``."""
    same = [each for each in history.faults if each.name == window.name]
    if not same:
        return window.name
    fault = min(same, key=lambda each: abs(each.injected_s - window.began_s))
    # Some targets are no part of the service, and their long names say nothing to a reader.
    targets = [t for t in fault.targets if t not in window.name and len(t) <= _LONGEST_TARGET]
    if len(targets) > 2:
        return f"{window.name} of {len(targets)}"
    return " ".join((window.name, ", ".join(targets))).strip()


def stretches(scenario: Scenario) -> tuple[Figures, ...]:
    """Figures before, during, while recovering from, and after the faults; or of the whole."""
    requests = scenario.history.requests
    intended, columns = requests["intended_s"], _columns(requests)
    spans = shades(scenario)
    faults = [each for each in spans if each.kind == "fault"]
    if not faults:
        everything = np.ones(len(requests), dtype=np.bool_)
        return (_figures("whole scenario", columns, everything, scenario.history),)
    before = intended < faults[0].began_s
    during = _inside(intended, faults)
    recovering = _inside(intended, [each for each in spans if each.kind == "recovery"]) & ~during
    masks = {"before": before, "during": during, "recovering": recovering}
    if not any(each.kind == "recovery" for each in spans):
        del masks["recovering"]
    masks["after"] = ~(before | during | recovering)
    return tuple(_figures(name, columns, mask, scenario.history) for name, mask in masks.items())


def outcomes(history: History) -> Outcomes:
    """The outcomes of a history. Columns alone are sorted: whole rows are ten times as wide."""
    requests = history.requests
    order = np.argsort(requests["intended_s"], kind="stable")
    return Outcomes(
        requests["intended_s"][order],
        latency_s(requests)[order],
        failed(requests)[order],
        wrong(requests)[order],
    )


def per_time(outcomes: Outcomes, edges_s: Times) -> tuple[Figures, ...]:
    """Figures of the requests between each two edges; the last stretch includes its end."""
    cuts = np.searchsorted(outcomes.intended_s, edges_s, side="left")
    cuts[-1] = np.searchsorted(outcomes.intended_s, edges_s[-1], side="right")
    rows = []
    for index, (begin, end) in enumerate(pairwise(cuts)):
        part = slice(int(begin), int(end))
        rows.append(
            _counted(
                "",
                (float(edges_s[index]), float(edges_s[index + 1])),
                outcomes.latency_s[part],
                outcomes.failed[part],
                outcomes.wrong[part],
            )
        )
    return tuple(rows)


def _inside(times_s: Times, spans: list[Shade]) -> Mask:
    result: Mask = np.zeros(len(times_s), dtype=np.bool_)
    for each in spans:
        result |= (times_s >= each.began_s) & (times_s <= each.ended_s)
    return result


def _columns(requests: Table) -> tuple[Times, Mask, Mask]:
    return latency_s(requests), failed(requests), wrong(requests)


def _figures(name: str, columns: tuple[Times, Mask, Mask], mask: Mask, history: History) -> Figures:
    latency, bad, mistaken = columns
    span_s = (history.began_s, history.ended_s)
    return _counted(name, span_s, latency[mask], bad[mask], mistaken[mask])


def _counted(
    name: str, span_s: tuple[float, float], latency: Times, bad: Mask, mistaken: Mask
) -> Figures:
    good = latency[~bad & ~mistaken & np.isfinite(latency)]
    p50_s, p99_s = np.percentile(good, [50, 99]).tolist() if len(good) else (None, None)
    return Figures(name, *span_s, len(bad), int(bad.sum()), int(mistaken.sum()), p50_s, p99_s)
