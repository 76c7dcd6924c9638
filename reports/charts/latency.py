"""Latency of every request on a log axis, counted from its intended send time."""

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from reports.charts import cells
from reports.charts.bitmap import layer
from reports.charts.chart import Chart, Grid, Key, Series
from reports.charts.frame import clock, level, margin_label, scaled, svg
from reports.charts.log_scale import log_scale
from reports.charts.promises import Promise, latency_promises, moving_lines, still_lines
from reports.charts.scene import Scene
from reports.charts.windows import names
from reports.measure import Mask, Outcomes
from reports.words import milliseconds, plural

TITLE = "Latency"
_COLUMNS, _ROWS = 440, 100
_HEIGHT = 200  # px: two for each row of cells
_RARE = 1500  # cells: so many failures are drawn large
_LANE = 13  # px: a strip under the plot that shows one kind of failure apart from its latency
_GAP = 8  # px: between the plot and the first such strip


def latency(of: Scene) -> Chart:
    """The chart of one scenario."""
    total = len(of.outcomes.intended_s)
    shown = _timed(of.outcomes)
    count = len(shown.intended_s)
    if count == 0:
        return Chart(TITLE, "No request was sent in this scenario.")
    failed, wrong = int(shown.failed.sum()), int(shown.wrong.sum())
    good = count - failed - wrong
    note = f"every one of {plural(count, 'request')}, from its intended send time"
    if count < total:
        note += f"; {plural(total - count, 'request')} without an end not drawn"
    said = f"Latency of {plural(count, 'request')} over time: {good:,} answered well, "
    said += f"{failed:,} failed, {wrong:,} answered wrongly."
    promises = latency_promises(of.scenario, of.terms.limits)
    named = names(of.axis)
    return Chart(
        TITLE,
        note,
        _picture(of, shown, promises, said),
        (
            Key("good", f"{good:,} answered well, darker is denser"),
            Key("failed", f"{failed:,} failed{_on_top(failed)}"),
            Key("wrong", f"{wrong:,} answered wrongly{_on_top(wrong)}"),
            *(Key("promised", each.meaning) for each in promises),
        ),
        _data(of),
        tuple(_series(of)),
        windows=named.listed,
        windows_named=named.named != "never",
    )


def _timed(outcomes: Outcomes) -> Outcomes:
    """Those that have an end, and so a latency."""
    timed = np.isfinite(outcomes.intended_s) & np.isfinite(outcomes.latency_s)
    if timed.all():
        return outcomes
    return Outcomes(
        outcomes.intended_s[timed],
        outcomes.latency_s[timed],
        outcomes.failed[timed],
        outcomes.wrong[timed],
    )


def _on_top(count: int) -> str:
    return ", drawn on top" if count else ""


def _picture(of: Scene, shown: Outcomes, promises: tuple[Promise, ...], said: str) -> Markup:
    axis, named = of.axis, names(of.axis)
    top = named.height
    scale = log_scale(shown.latency_s, tuple(each.limit_s for each in promises))
    shares = (shown.intended_s - axis.began_s) / (axis.ended_s - axis.began_s)
    columns = cells.place(shares, _COLUMNS)
    rows = _ROWS - 1 - cells.place(scale.share(shown.latency_s), _ROWS)
    kinds = {"failed": shown.failed, "wrong": shown.wrong}
    plot = scaled(
        _COLUMNS,
        _ROWS,
        top,
        _HEIGHT,
        list(_points(columns, rows, kinds, f"{of.history.scenario} {axis.began_s}")),
    )
    heights = scale.decades(top, _HEIGHT)
    margin = [margin_label(name, y + 4) for name, y in heights.items()]
    lanes: list[Markup] = []
    bottom = top + _HEIGHT + _GAP * any(mask.any() for mask in kinds.values())
    for name, mask in kinds.items():
        if mask.any():
            lanes.append(_lane(name, columns[mask], bottom))
            bottom += _LANE
            margin.append(margin_label(name, bottom - 1, name))
    lines = [(each, scale.y(each.limit_s, top, _HEIGHT)) for each in promises]
    levels = [level(y) for y in heights.values()]
    parts = [*levels, *named.parts, plot, *lanes, *moving_lines(lines, top, axis)]
    return svg(axis, bottom, said, parts, "latency", margin, still_lines(lines, top))


def _points(
    columns: cells.Places, rows: cells.Places, kinds: dict[str, Mask], chart: str
) -> Iterator[Markup]:
    shape = (_ROWS, _COLUMNS)
    good = ~(kinds["failed"] | kinds["wrong"])
    thick = cells.density(cells.count(columns[good], rows[good], shape))
    yield layer("good", thick, chart)
    # Failures come last, in full colour: the rare request is the one that must be seen.
    for name, mask in kinds.items():
        counts = cells.count(columns[mask], rows[mask], shape)
        if np.count_nonzero(counts) <= _RARE:
            yield _stroke(name, counts > 0)
            continue
        # A crowd is seen anyway, and must not hide what is behind it.
        yield layer(f"{name} crowd", cells.density(counts), chart)


def _lane(name: str, columns: cells.Places, top: int) -> Markup:
    marked = cells.count(columns, np.zeros_like(columns), (1, _COLUMNS)) > 0
    return scaled(_COLUMNS, 1, top + 3, _LANE - 4, [_stroke(f"{name} lane", marked)])


def _stroke(kind: str, marked: Mask) -> Markup:
    drawn = cells.path(marked)
    return Markup('<path class="{}" d="{}"/>').format(kind, drawn) if drawn else Markup("")


def _series(of: Scene) -> Iterator[Series]:
    at_s = of.since_s([each.began_s for each in of.steps])
    for name, values_s in (
        ("p50", [each.p50_s for each in of.steps]),
        ("p99", [each.p99_s for each in of.steps]),
    ):
        yield Series(name, "ms", at_s, tuple(None if v is None else v * 1000 for v in values_s))
    lost = tuple((s.failed + s.wrong) / (s.ended_s - s.began_s) for s in of.steps)
    yield Series("failed or wrong", "/s", at_s, lost)


def _data(of: Scene) -> Grid:
    rows = tuple(
        (
            clock(each.began_s, of.axis),
            f"{each.requests:,}",
            f"{each.failed:,}",
            f"{each.wrong:,}",
            milliseconds(each.p50_s),
            milliseconds(each.p99_s),
        )
        for each in of.rows
    )
    return Grid(("from", "requests", "failed", "wrong", "p50", "p99"), rows)
