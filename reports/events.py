"""What happened in a scenario, one event a row: faults, replicas, routes, rates and the rest."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.history import Event, History, Value
from reports.charts.frame import Frame
from reports.words import number, plural

_ASKED = frozenset({"probe", "witness"})
"""Questions of the harness, many a second. The charts show what came of them."""

_ROUTES = frozenset({"replica.routed", "replica.unrouted", "balancer.routes"})
_CONCERNED = ("targets", "predecessor")
"""Details that name what else an event is about; names are separated by commas."""

_AT_MOST = 300
_LENGTH = 200  # of the details: the addresses of a large fleet would fill the page


@dataclass(frozen=True, slots=True)
class Happening:
    """One event."""

    at_s: float  # since the time axis began
    at: str
    what: str
    subject: str
    details: str
    others: str  # names of what else it concerns, one a line


@dataclass(frozen=True, slots=True)
class Happenings:
    """The events of a scenario in order of time, and what is not among them."""

    rows: tuple[Happening, ...]
    note: str


def happenings(history: History, axis: Frame) -> Happenings:
    """The events between the beginning and the end of the scenario."""
    every = _inside(history)
    told = [each for each in every if each.kind not in _ASKED]
    rows = tuple(_row(each, axis) for each in _chosen(told))
    return Happenings(rows, _note(len(told), len(every) - len(told)))


def _inside(history: History) -> Sequence[Event]:
    """Events are in order of time, and those of a long run are many."""
    first = bisect_left(history.events, history.began_s, key=_time_s)
    return history.events[first : bisect_right(history.events, history.ended_s, key=_time_s)]


def _time_s(event: Event) -> float:
    return event.time_s


def _chosen(told: Sequence[Event]) -> Sequence[Event]:
    """All of them, or as many as there is room for, in order of time."""
    if len(told) <= _AT_MOST:
        return told
    first = sorted(range(len(told)), key=lambda place: _rank(told[place].kind))
    return [told[place] for place in sorted(first[:_AT_MOST])]


def _rank(kind: str) -> int:
    if kind.startswith("fault."):
        return 0
    if kind.endswith(".died"):
        return 1
    return 2 if kind in _ROUTES else 3


def _note(told: int, asked: int) -> str:
    left_out = f"; {plural(asked, 'probe')} and witnessed answers are not listed" if asked else ""
    if told > _AT_MOST:
        chosen = "faults first, then deaths, routes, and the earliest of the others"
        return f"{_AT_MOST} of {told:,} are listed, {chosen}{left_out}"
    return f"{plural(told, 'event')} of this scenario{left_out}"


def _row(event: Event, axis: Frame) -> Happening:
    since_s = event.time_s - axis.began_s
    return Happening(
        at_s=round(since_s, 3),
        at=f"{since_s:,.2f} s",
        what=event.kind.replace(".", " ").replace("_", " "),
        subject=event.subject,
        details=_details(event),
        others=_others(event),
    )


def _details(event: Event) -> str:
    told = ", ".join(
        f"{name.replace('_', ' ')}: {_written(value)}" for name, value in event.details.items()
    )
    return told if len(told) <= _LENGTH else f"{told[: _LENGTH - 1]}…"


def _written(value: Value) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.replace(",", ", ") if isinstance(value, str) else number(value)


def _others(event: Event) -> str:
    named = (str(event.details.get(each) or "").split(",") for each in _CONCERNED)
    return "\n".join(dict.fromkeys(name.strip() for names in named for name in names if name))
