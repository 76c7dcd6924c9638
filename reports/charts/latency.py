"""Latency of every request on a log axis, counted from its intended send time."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from harness.history import latency_s
from harness.run import Scenario
from reports.charts import cells
from reports.charts.chart import Chart, Grid, Key
from reports.charts.frame import (
    Frame,
    clock,
    frame,
    label_height,
    labels,
    level,
    margin_label,
    scaled,
    svg,
)
from reports.measure import Mask, Times, failed, per_time, wrong
from reports.words import milliseconds, number, plural

TITLE = "Latency"
_COLUMNS, _ROWS = 440, 100
_HEIGHT = 200  # px: two for each row of cells
_LANE = 13  # px: a strip under the plot that shows one kind of failure apart from its latency
_GAP = 8  # px: between the plot and the first such strip
_TABLE_ROWS = 40


@dataclass(frozen=True, slots=True)
class _Log:
    """A log axis over whole decades, of milliseconds."""

    low: int  # powers of ten
    high: int

    def share(self, latencies_s: Times) -> Times:
        """How far up each latency stands, 0 to 1."""
        exponents = np.log10(np.maximum(latencies_s * 1000, 10.0**self.low))
        result: Times = (exponents - self.low) / (self.high - self.low)
        return result


def latency(scenario: Scenario) -> Chart:
    """The chart of one scenario."""
    requests = scenario.history.requests
    timed = np.isfinite(requests["intended_s"]) & np.isfinite(requests["done_s"])
    shown = requests[timed]
    if len(shown) == 0:
        return Chart(TITLE, "No request was sent in this scenario.")
    kinds = {"failed": failed(shown), "wrong": wrong(shown)}
    counts = {name: int(mask.sum()) for name, mask in kinds.items()}
    good = len(shown) - sum(counts.values())
    note = f"every one of {plural(len(shown), 'request')}, from its intended send time"
    if len(shown) < len(requests):
        note += f"; {plural(len(requests) - len(shown), 'request')} without an end not drawn"
    axis = frame(scenario)
    said = f"Latency of {plural(len(shown), 'request')} over time: {good:,} answered well, "
    said += f"{counts['failed']:,} failed, {counts['wrong']:,} answered wrongly."
    return Chart(
        TITLE,
        note,
        _picture(axis, latency_s(shown), shown["intended_s"], kinds, said),
        (
            Key("good", f"{good:,} answered well, darker is denser"),
            Key("failed", f"{counts['failed']:,} failed{_on_top(counts['failed'])}"),
            Key("wrong", f"{counts['wrong']:,} answered wrongly{_on_top(counts['wrong'])}"),
        ),
        _data(scenario, axis),
    )


def _on_top(count: int) -> str:
    return ", drawn on top" if count else ""


def _picture(
    axis: Frame, latencies_s: Times, intended_s: Times, kinds: dict[str, Mask], said: str
) -> Markup:
    top = label_height(axis)
    scale = _scale(latencies_s)
    columns = cells.place((intended_s - axis.began_s) / (axis.ended_s - axis.began_s), _COLUMNS)
    rows = _ROWS - 1 - cells.place(scale.share(latencies_s), _ROWS)
    good = ~(kinds["failed"] | kinds["wrong"])
    thick = cells.density(cells.count(columns[good], rows[good], (_ROWS, _COLUMNS)))
    parts = [_stroke(f"good density-{step}", thick == step) for step in (1, 2, 3)]
    # Failures come last, in full colour: the rare request is the one that must be seen.
    parts += [
        _stroke(name, cells.count(columns[mask], rows[mask], (_ROWS, _COLUMNS)) > 0)
        for name, mask in kinds.items()
    ]
    heights = _heights(scale, top)
    margin = [margin_label(name, y + 4) for name, y in heights.items()]
    lanes: list[Markup] = []
    bottom = top + _HEIGHT + _GAP * any(mask.any() for mask in kinds.values())
    for name, mask in kinds.items():
        if mask.any():
            lanes.append(_lane(name, columns[mask], bottom))
            bottom += _LANE
            margin.append(margin_label(name, bottom - 1, name))
    plot = scaled(_COLUMNS, _ROWS, top, _HEIGHT, parts)
    levels = [level(y) for y in heights.values()]
    return svg(axis, bottom, said, [*levels, *labels(axis), plot, *lanes], "latency", margin)


def _scale(latencies_s: Times) -> _Log:
    positive = latencies_s[latencies_s > 0] * 1000
    if len(positive) == 0:
        return _Log(0, 1)
    low = int(np.floor(np.log10(positive.min())))
    high = int(np.ceil(np.log10(positive.max())))
    # A few very quick refusals must not squeeze all the rest: below 0.1 ms is drawn at 0.1 ms.
    low = max(low, -1, high - 6)
    return _Log(low, max(high, low + 1))


def _heights(scale: _Log, top: int) -> dict[str, float]:
    """Where each whole decade stands, by its name."""
    result = {}
    for power in range(scale.low, scale.high + 1):
        value = 10.0**power
        name = f"{number(value)} ms" if value < 1000 else f"{number(value / 1000)} s"
        share = (scale.high - power) / (scale.high - scale.low)
        result[name] = round(top + _HEIGHT * share, 1)
    return result


def _lane(name: str, columns: cells.Places, top: int) -> Markup:
    marked = cells.count(columns, np.zeros_like(columns), (1, _COLUMNS)) > 0
    return scaled(_COLUMNS, 1, top + 3, _LANE - 4, [_stroke(f"{name} lane", marked)])


def _stroke(kind: str, marked: Mask) -> Markup:
    drawn = cells.path(marked)
    return Markup('<path class="{}" d="{}"/>').format(kind, drawn) if drawn else Markup("")


def _data(scenario: Scenario, axis: Frame) -> Grid:
    rows = tuple(
        (
            clock(each.began_s, axis),
            f"{each.requests:,}",
            f"{each.failed:,}",
            f"{each.wrong:,}",
            milliseconds(each.p50_s),
            milliseconds(each.p99_s),
        )
        for each in per_time(scenario.history, axis.edges_s(_TABLE_ROWS, 1.0))
    )
    return Grid(("from", "requests", "failed", "wrong", "p50", "p99"), rows)
