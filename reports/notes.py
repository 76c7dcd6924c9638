"""What a scenario found out itself and wrote down, as a table."""

from harness.history import History, Value
from reports.charts.chart import Grid
from reports.words import milliseconds, number, phase, seconds

_PREFIX = "scenario."
_SHOWN = 50


def notes(history: History) -> Grid:
    """The figures of the events ``scenario.NAME`` of this scenario, in order of time."""
    every = [
        (event.kind.removeprefix(_PREFIX).replace("_", " "), *_figure(name, value))
        for event in history.events
        if event.subject == history.scenario and event.kind.startswith(_PREFIX)
        for name, value in event.details.items()
    ]
    rows = every[:_SHOWN]
    if len(every) > _SHOWN:
        rows.append((f"and {len(every) - _SHOWN:,} more", "—", "—"))
    return Grid(("note", "figure", "value"), tuple(rows))


def _figure(name: str, value: Value) -> tuple[str, str]:
    """A name without its unit, and the value with it."""
    if value is None:
        return phase(name), "not known"
    if isinstance(value, bool):
        return phase(name), "yes" if value else "no"
    if isinstance(value, str):
        return phase(name), value
    if name.endswith("_ms"):
        return phase(name.removesuffix("_ms")), milliseconds(value / 1000)
    return phase(name), seconds(value) if name.endswith("_s") else number(value)
