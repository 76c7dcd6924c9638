"""What the containers of the service used, brought onto even steps of time.

Samples come about once a second and at no common instant. What only grows, processor seconds, is
read off between them; so each step has its mean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.fleet import Life
from harness.tables import Table
from reports.charts.places import Place, first_places, places, replicas_in
from reports.charts.scene import Scene
from reports.measure import Times
from reports.words import shortened

_STEPS = 120
_STEP_AT_LEAST_S = 1.0  # as often as samples come
_KNOWN = 0.2  # share of a step that has to lie between two samples
_DRAWN = 32  # places


@dataclass(frozen=True, slots=True)
class Group:
    """The containers of one row: those of one place of the fleet, or all others of one kind."""

    label: str
    short: str  # for a narrow screen
    names: str
    started: Mapping[str, float | None]  # by container; None: before, or not known
    lives: tuple[Life, ...] = ()  # empty: no replica


@dataclass(frozen=True, slots=True)
class Row:
    """What one group used in each step; NaN where nothing is known."""

    group: Group
    cpus: Times  # processors in use, mean
    throttled: Times  # seconds held back by its quota, for each second
    memory_bytes: Times  # at most


@dataclass(frozen=True, slots=True)
class Usage:
    """All rows of a scenario on common steps."""

    edges_s: Times
    rows: tuple[Row, ...]
    left_out: str  # words about what is not drawn


def usage(of: Scene) -> Usage | None:
    """What was used during a scenario, or None where that was not sampled."""
    history = of.fleet
    samples = history.usage[np.argsort(history.usage["time_s"], kind="stable")]
    samples = samples[np.isfinite(samples["time_s"]) & np.isfinite(samples["cpu_s"])]
    if not len(samples):
        return None
    edges_s = of.axis.edges_s(_STEPS, _STEP_AT_LEAST_S)
    drawn, left_out = first_places(history, _DRAWN)
    groups = (*map(_of_place, drawn), *_others(samples, replicas_in(places(history))))
    rows = (_row(each, samples, edges_s) for each in groups)
    known = tuple(row for row in rows if np.isfinite(row.memory_bytes).any())
    return Usage(edges_s, known, left_out) if known else None


def _of_place(place: Place) -> Group:
    started = {life.name: life.started_s for life in place.lives}
    return Group(place.label, place.short, place.names, started, place.lives)


def _others(samples: Table, replicas: Iterable[Life]) -> Iterator[Group]:
    """The containers that are no replicas of the fleet, by kind: ``balancer`` of ``balancer-2``."""
    seen = {name.decode("ascii", "replace") for name in np.unique(samples["container"])}
    kinds: dict[str, list[str]] = {}
    for name in sorted(seen - {life.name for life in replicas}):
        stem, _, number = name.rpartition("-")
        kinds.setdefault(stem if stem and number.isdigit() else name, []).append(name)
    for kind, names in kinds.items():
        yield Group(
            shortened(kind, 13), shortened(kind, 10), ", ".join(names), dict.fromkeys(names)
        )


def _row(group: Group, samples: Table, edges_s: Times) -> Row:
    count = len(edges_s) - 1
    known_s, cpu_s, throttled_s = np.zeros(count), np.zeros(count), np.zeros(count)
    memory = np.full(count, np.nan)
    for name, started_s in group.started.items():
        own = samples[samples["container"] == name.encode("ascii", "replace")]
        if len(own):
            spans, grown = _grown(own, started_s, edges_s)
            known_s, cpu_s, throttled_s = known_s + spans, cpu_s + grown[0], throttled_s + grown[1]
            memory = np.fmax(memory, _highest(own, edges_s))
    # Containers of one kind that ran side by side are counted together, not averaged.
    span_s = np.minimum(known_s, np.diff(edges_s))
    enough = span_s >= _KNOWN * np.diff(edges_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        cpus = np.where(enough, cpu_s / span_s, np.nan)
        throttled = np.where(enough, throttled_s / span_s, np.nan)
    return Row(group, cpus, throttled, memory)


def _grown(own: Table, started_s: float | None, edges_s: Times) -> tuple[Times, Sequence[Times]]:
    """How much of each step lies between samples, and what was used in that time."""
    times_s, columns = own["time_s"], [own["cpu_s"], own["throttled_s"]]
    if started_s is not None and edges_s[0] <= started_s < times_s[0]:
        # It started with nothing used, so that its first second counts too.
        times_s = np.insert(times_s, 0, started_s)
        columns = [np.insert(column, 0, 0.0) for column in columns]
    begin_s, end_s = (
        np.clip(at_s, times_s[0], times_s[-1]) for at_s in (edges_s[:-1], edges_s[1:])
    )
    grown = [
        np.maximum(np.interp(end_s, times_s, column) - np.interp(begin_s, times_s, column), 0.0)
        for column in columns
    ]
    return end_s - begin_s, grown


def _highest(own: Table, edges_s: Times) -> Times:
    """The highest sample of each step, and between samples what lies between them."""
    times_s, memory = own["time_s"], own["memory_bytes"]
    middle_s = (edges_s[:-1] + edges_s[1:]) / 2
    between: Times = np.interp(middle_s, times_s, memory, left=np.nan, right=np.nan)
    steps = np.clip(np.searchsorted(edges_s, times_s, side="right") - 1, 0, len(between) - 1)
    highest = np.full(len(between), -np.inf)
    np.maximum.at(highest, steps, memory)
    return np.where(np.isfinite(highest), highest, between)
