"""Good answers a second under the load that was offered; what lies between them was lost."""

import math

from markupsafe import Markup

from reports.charts.chart import Chart, Grid, Key, Series
from reports.charts.frame import Frame, clock, level, margin_label, scaled, svg
from reports.charts.scene import Scene
from reports.measure import Figures
from reports.words import number

TITLE = "Goodput"
_HEIGHT = 72  # px
_ACROSS = 1000  # units of the drawing's width


def goodput(of: Scene) -> Chart:
    """The chart of one scenario."""
    total = len(of.outcomes.intended_s)
    if total == 0:
        return Chart(TITLE, "No request was sent in this scenario.")
    lost = int((of.outcomes.failed | of.outcomes.wrong).sum())
    said = f"Requests offered and answered well each second: {total - lost:,} of {total:,}."
    note = "requests a second, offered and answered well, at their intended send time"
    return Chart(
        TITLE,
        note,
        _picture(of.axis, of.steps, said),
        (Key("offered", "offered"), Key("answered", "answered well"), Key("lost", "lost")),
        _data(of),
        _series(of),
    )


def _picture(axis: Frame, steps: tuple[Figures, ...], said: str) -> Markup:
    offered, answered = _rates_rps(steps)
    top_rps = _round_up(max(offered))
    places = [round(axis.place(each.began_s) * _ACROSS / 100) for each in steps] + [_ACROSS]
    upper, lower = (_stairs(places, rates, top_rps) for rates in (offered, answered))
    back = _stairs(places[::-1], answered[::-1], top_rps).replace("M", "L", 1)
    parts = [
        Markup('<path class="lost" d="{}{}z"/>').format(upper, back),
        Markup('<path class="offered" d="{}"/>').format(upper),
        Markup('<path class="answered" d="{}"/>').format(lower),
    ]
    plot = scaled(_ACROSS, _HEIGHT, 4, _HEIGHT, parts)
    heights = {share: 4 + _HEIGHT * (1 - share) for share in (0.0, 0.5, 1.0)}
    levels = [level(y) for y in heights.values()]
    margin = [margin_label(f"{number(top_rps * each)}/s", y + 4) for each, y in heights.items()]
    return svg(axis, _HEIGHT + 4, said, [*levels, plot], "goodput", margin)


def _rates_rps(steps: tuple[Figures, ...]) -> tuple[list[float], list[float]]:
    """Offered, and answered well."""
    spans_s = [each.ended_s - each.began_s for each in steps]
    offered = [each.requests / span_s for each, span_s in zip(steps, spans_s, strict=True)]
    good = [each.requests - each.failed - each.wrong for each in steps]
    return offered, [count / span_s for count, span_s in zip(good, spans_s, strict=True)]


def _round_up(rate_rps: float) -> float:
    scale: float = 10.0 ** math.floor(math.log10(max(rate_rps, 1.0)))
    for factor in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if factor * scale >= rate_rps:
            return factor * scale
    return rate_rps


def _stairs(places: list[int], rates_rps: list[float], top_rps: float) -> str:
    """A level for each step, drawn from the first place to the last."""
    heights = [round(_HEIGHT * (1 - rate / top_rps), 1) for rate in rates_rps]
    first = f"M{places[0]} {heights[0]:g}"
    return first + "".join(
        f"V{height:g}H{end}" for height, end in zip(heights, places[1:], strict=True)
    )


def _series(of: Scene) -> tuple[Series, ...]:
    at_s = of.since_s([each.began_s for each in of.steps])
    offered, answered = _rates_rps(of.steps)
    return (
        Series("offered", "/s", at_s, tuple(offered)),
        Series("answered well", "/s", at_s, tuple(answered)),
    )


def _data(of: Scene) -> Grid:
    rows = []
    for each, offered, answered in zip(of.rows, *_rates_rps(of.rows), strict=True):
        lost = each.failed + each.wrong
        began = clock(each.began_s, of.axis)
        rows.append((began, number(offered, 3), number(answered, 3), f"{lost:,}"))
    return Grid(("from", "offered a second", "answered well a second", "lost"), tuple(rows))
