"""The way back from a fault, step by step, counted from the proof of its effect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from harness.history import FaultRecord
from harness.run import Scenario
from reports.charts.bar import step
from reports.charts.frame import frame
from reports.words import phase

_DURATIONS = frozenset({"outage_s"})
"""Phase times that say how long something lasted, and are no step on the way."""
_REPLACEMENT = frozenset({"ordered_s", "started_s", "ready_s", "first_correct_s", "readmit_s"})
_OF_REPLICAS = _REPLACEMENT | {"eject_s"}
_HEALING = "healing begins"
_NAMES = {
    "detect_s": "first deviation seen",
    "eject_s": "balancer stops sending",
    "ordered_s": "replacement ordered",
    "started_s": "its process runs",
    "ready_s": "it is ready",
    "first_correct_s": "its first correct answer",
    "readmit_s": "its first answer to a caller",
    "back_s": "service answers again",
    "recovered_s": "all well from here on",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One phase time as a row: when it came, how long after the one before, and its bar."""

    name: str
    after_effect: str
    after_last: str
    bar: Markup
    at_s: float | None = None  # since the charts' time axis began


@dataclass(frozen=True, slots=True)
class Recovery:
    """The steps in order of time, those that never came last, and what is no step, in sentences."""

    counted_from: str
    steps: tuple[Step, ...]
    sentences: tuple[str, ...] = ()


def recovery(scenario: Scenario) -> Recovery | None:
    """The recovery from the scenario's first fault; None where there was no fault."""
    if not scenario.phases:
        return None
    fault = next(iter(scenario.history.faults), None)
    left_out = _left_out(scenario, fault)
    times = {
        _NAMES.get(name, phase(name)): time_s
        for name, time_s in scenario.phases.items()
        if name not in _DURATIONS and name not in left_out
    }
    if fault is not None and fault.effect_s is not None and fault.healed_s is not None:
        times[_HEALING] = max(fault.healed_s - fault.effect_s, 0.0)
    begin_s = None if fault is None else fault.effect_s
    since_s = None if begin_s is None else begin_s - frame(scenario).began_s
    named = "the fault's proven effect"
    if fault is not None:
        named = f"the proven effect of {fault.name} on {', '.join(fault.targets)}"
    steps = (*_seen(times, since_s), *_missing(times))
    return Recovery(named, steps, tuple(_sentences(scenario, left_out)))


def _told(time_s: float) -> str:
    return f"{time_s:.2f}\N{NO-BREAK SPACE}s"


def _left_out(scenario: Scenario, fault: FaultRecord | None) -> frozenset[str]:
    """The phases that do not apply: where no replica was hit, or none was replaced."""
    phases = scenario.phases
    unseen = frozenset(name for name in _OF_REPLICAS if name in phases and phases[name] is None)
    replicas = {each.subject for each in scenario.history.of_kind("replica.ordered")}
    if fault is not None and not replicas & set(fault.targets):
        return unseen
    return unseen & _REPLACEMENT if unseen >= _REPLACEMENT else frozenset()


def _seen(times: Mapping[str, float | None], since_s: float | None) -> Iterator[Step]:
    seen = sorted(
        ((name, time_s) for name, time_s in times.items() if time_s is not None),
        key=lambda each: each[1],
    )
    span_s = max((time_s for _, time_s in seen), default=0.0) or 1.0
    last_s = 0.0
    for name, time_s in seen:
        told = _told(time_s)
        label = f"{name}: {told} after the effect"
        begin, end = max(last_s, 0.0) / span_s, max(time_s, 0.0) / span_s
        at_s = None if since_s is None else round(since_s + time_s, 3)
        gained = _told(time_s - last_s)
        yield Step(name, told, f"+{gained}", step(begin, end, label, f"+{told}"), at_s)
        last_s = max(time_s, 0.0)


def _missing(times: Mapping[str, float | None]) -> Iterator[Step]:
    for name, time_s in times.items():
        if time_s is None:
            yield Step(name, "never seen", "—", Markup(""))


def _sentences(scenario: Scenario, left_out: frozenset[str]) -> Iterator[str]:
    outage_s = scenario.phases.get("outage_s")
    if outage_s is not None:
        yield f"The longest stretch without a good answer lasted {_told(outage_s)}."
    if "eject_s" in left_out:
        yield "No replica was hit, so none had to leave rotation or be replaced."
    elif left_out >= _REPLACEMENT:
        yield "No replica was replaced for it."
