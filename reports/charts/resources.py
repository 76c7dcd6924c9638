"""What each place of the fleet used: processors and memory, a row each, in the replicas' order.

A row is as high as what one replica may use. Where that is not known, as the most that any did.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from reports.charts.chart import Chart, Grid, Key, Series
from reports.charts.frame import Frame, margin_labels, scaled, svg
from reports.charts.quota import quota
from reports.charts.resource_row import deaths, filled, peak_label, strokes
from reports.charts.scene import Scene
from reports.charts.usage import Row, Usage, usage
from reports.measure import Times
from reports.words import number

_HEIGHT, _CLOSE, _THIN = 22, 15, 15  # px: a replica's row, one of many, one of another container
_MANY = 8
_GAP = 5
_HELD_BACK = 0.05  # of the time: less is of no account
_ACROSS = 1000  # units of the drawing's width
_MB = 2**20


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the two resources."""

    title: str
    unit: str
    values: Callable[[Row], Times]
    limit: float | None
    limited: str  # the limit in words
    marks_held_back: bool


def processors(of: Scene) -> Chart | None:
    """How many processors were in use; None where that was not sampled."""
    cpus = quota(of.history, of.terms.conditions).cpus
    unit = "processor" if cpus == 1 else "processors"
    words = "" if cpus is None else f"{number(cpus)} {unit} that each replica may use"
    kind = _Kind("Processors", "CPU", lambda row: row.cpus, cpus, words, marks_held_back=True)
    return _chart(of, kind)


def memory(of: Scene) -> Chart | None:
    """How much memory was in use; None where that was not sampled."""
    limit_bytes = quota(of.history, of.terms.conditions).memory_bytes
    limit = None if limit_bytes is None else limit_bytes / _MB
    words = "" if limit is None else f"{number(limit)} MB that each replica may use"
    kind = _Kind(
        "Memory", "MB", lambda row: row.memory_bytes / _MB, limit, words, marks_held_back=False
    )
    return _chart(of, kind)


def _chart(of: Scene, kind: _Kind) -> Chart | None:
    found = usage(of)
    known = [each for each in found.rows if np.isfinite(kind.values(each)).any()] if found else []
    if found is None or not known:
        return None
    most = max((_peak(kind.values(each)) for each in known if each.group.lives), default=0.0)
    top = max(most, kind.limit or 0.0)
    note = f"of the {kind.limited}" if kind.limited else f"up to {_told(most, kind)}, the most seen"
    if any(not each.group.lives for each in known):
        note += "; grey: other containers, up to their own peak"
    keys = [Key("used", "in use")]
    if kind.marks_held_back:
        keys.append(Key("held-back", "held back by its quota, over 5 % of the time"))
    keys += [Key("died", "died"), Key("ended", "stopped")] if _ends(known) else []
    return Chart(
        kind.title,
        note + found.left_out,
        _picture(of.axis, found, known, kind, top),
        tuple(keys),
        _data(found, known, kind),
        _series(of, found, known, kind),
    )


def _ends(rows: list[Row]) -> bool:
    return any(life.died_s is not None for row in rows for life in row.group.lives)


def _peak(values: Times) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else 0.0


def _told(value: float, kind: _Kind) -> str:
    return f"{number(float(f'{value:.3g}'))}\N{NO-BREAK SPACE}{kind.unit}"


def _picture(axis: Frame, found: Usage, rows: list[Row], kind: _Kind, top: float) -> Markup:
    parts: list[Markup] = []
    margin: list[Markup] = []
    peaks: list[Markup] = []
    y, close = 4, sum(bool(each.group.lives) for each in rows) > _MANY
    places = [round(axis.place(edge_s) * _ACROSS / 100) for edge_s in found.edges_s.tolist()]
    for row in rows:
        height = (_CLOSE if close else _HEIGHT) if row.group.lives else _THIN
        values = kind.values(row)
        highest = _peak(values)
        full = top if row.group.lives else highest
        stairs = scaled(_ACROSS, height, y, height, list(_drawn(row, kind, places, full, height)))
        parts += [stairs, *deaths(row, axis, y, height)]
        middle = y + height / 2 + 4
        margin.append(margin_labels(row.group.label, row.group.short, middle))
        peaks.append(peak_label(_told(highest, kind), middle))
        y += height + _GAP
    said = f"{kind.title} in use by each of {len(rows)} rows of containers over time."
    return svg(axis, y, said, parts, "resources", margin, peaks)


def _drawn(row: Row, kind: _Kind, places: list[int], full: float, height: int) -> Iterator[Markup]:
    yield Markup('<rect class="room" width="{}" height="{}"/>').format(_ACROSS, height)
    shares = kind.values(row) / (full or 1.0)
    heights = [None if np.isnan(s) else round(2 * height * (1 - s)) / 2 for s in shares.tolist()]
    yield Markup('<path class="{}" d="{}"/>').format(
        "used" if row.group.lives else "used other", filled(heights, places, height)
    )
    if kind.marks_held_back:
        marks = strokes((row.throttled > _HELD_BACK).tolist(), places, height)
        yield Markup('<path class="held-back" d="{}"/>').format(marks) if marks else Markup("")


def _series(of: Scene, found: Usage, rows: list[Row], kind: _Kind) -> tuple[Series, ...]:
    at_s = of.since_s(found.edges_s[:-1].tolist())
    return tuple(
        Series(
            row.group.label,
            kind.unit,
            at_s,
            tuple(None if np.isnan(v) else float(f"{v:.4g}") for v in kind.values(row).tolist()),
        )
        for row in rows
    )


def _data(found: Usage, rows: list[Row], kind: _Kind) -> Grid:
    spans_s = np.diff(found.edges_s)
    result = []
    for row in rows:
        values = kind.values(row)
        known = np.isfinite(values)
        mean = float(np.average(values[known], weights=spans_s[known]))
        cells = [row.group.names, _told(mean, kind), _told(_peak(values), kind)]
        if kind.marks_held_back:
            held = float(np.average(row.throttled[known], weights=spans_s[known]))
            cells.append(f"{number(float(f'{100 * held:.2g}'), 3)} %")
        result.append(tuple(cells))
    columns = ("containers", "mean", "peak")
    return Grid((*columns, "held back") if kind.marks_held_back else columns, tuple(result))
