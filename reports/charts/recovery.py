"""The way back from a fault, step by step, counted from the proof of its effect."""

from dataclasses import dataclass

from markupsafe import Markup

from harness.run import Scenario
from reports.charts.bar import step
from reports.words import phase, seconds

_DURATIONS = frozenset({"outage_s"})
"""Phase times that say how long something lasted, and are no step on the way."""


@dataclass(frozen=True, slots=True)
class Step:
    """One phase time as a row: when it came, how long after the one before, and its bar."""

    name: str
    after_effect: str
    after_last: str
    bar: Markup


def recovery(scenario: Scenario) -> tuple[Step, ...]:
    """The phase times in order of time; those that never came last."""
    steps = {name: at_s for name, at_s in scenario.phases.items() if name not in _DURATIONS}
    seen = sorted(
        ((name, time_s) for name, time_s in steps.items() if time_s is not None),
        key=lambda each: each[1],
    )
    span_s = max((time_s for _, time_s in seen), default=0.0) or 1.0
    rows = []
    last_s = 0.0
    for name, time_s in seen:
        label = f"{phase(name)}: {seconds(time_s)} after the effect"
        begin, end = max(last_s, 0.0) / span_s, max(time_s, 0.0) / span_s
        gained = seconds(time_s - last_s)
        rows.append(Step(phase(name), seconds(time_s), f"+{gained}", step(begin, end, label)))
        last_s = max(time_s, 0.0)
    missing = [name for name, time_s in steps.items() if time_s is None]
    rows += [Step(phase(name), "never seen", "—", Markup("")) for name in missing]
    return tuple(rows)
