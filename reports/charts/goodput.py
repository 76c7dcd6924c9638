"""Good answers a second under the load that was offered; what lies between them was lost."""

import math

from markupsafe import Markup

from harness.run import Scenario
from reports.charts.chart import Chart, Grid, Key
from reports.charts.frame import Frame, clock, frame, level, margin_label, scaled, svg
from reports.measure import Figures, per_time
from reports.words import number

TITLE = "Goodput"
_HEIGHT = 72  # px
_STEPS = 120
_TABLE_ROWS = 40
_ACROSS = 1000  # units of the drawing's width
_LEAST_PER_STEP = 25  # mean requests a step: with fewer, the line shows chance and not load


def goodput(scenario: Scenario) -> Chart:
    """The chart of one scenario."""
    total = len(scenario.history.requests)
    if total == 0:
        return Chart(TITLE, "No request was sent in this scenario.")
    axis = frame(scenario)
    span_s = axis.ended_s - axis.began_s
    least_s = max(0.5, span_s * _LEAST_PER_STEP / total)
    steps = per_time(scenario.history, axis.edges_s(_STEPS, least_s))
    lost = sum(each.failed + each.wrong for each in steps)
    said = f"Requests offered and answered well each second: {total - lost:,} of {total:,}."
    note = "requests a second, offered and answered well, at their intended send time"
    return Chart(
        TITLE,
        note,
        _picture(axis, steps, said),
        (Key("offered", "offered"), Key("answered", "answered well"), Key("lost", "lost")),
        _data(scenario, axis),
    )


def _picture(axis: Frame, steps: tuple[Figures, ...], said: str) -> Markup:
    offered = [_rate_rps(each, each.requests) for each in steps]
    answered = [_rate_rps(each, each.requests - each.failed - each.wrong) for each in steps]
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


def _rate_rps(step: Figures, count: int) -> float:
    return count / (step.ended_s - step.began_s)


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


def _data(scenario: Scenario, axis: Frame) -> Grid:
    rows = []
    for each in per_time(scenario.history, axis.edges_s(_TABLE_ROWS, 1.0)):
        lost = each.failed + each.wrong
        offered, answered = (_rate_rps(each, n) for n in (each.requests, each.requests - lost))
        began = clock(each.began_s, axis)
        rows.append((began, number(offered, 3), number(answered, 3), f"{lost:,}"))
    return Grid(("from", "offered a second", "answered well a second", "lost"), tuple(rows))
