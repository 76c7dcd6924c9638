"""How much of what may fail is left: from 100 % down through zero, where a promise is broken."""

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from markupsafe import Markup

from reports.charts.allowance import Allowance, Stretch, allowance
from reports.charts.chart import Chart, Grid, Key, Series
from reports.charts.frame import Frame, clock, level, margin_label, scaled, svg
from reports.charts.scene import Scene
from reports.words import number, plural

TITLE = "Error budget left"
_HEIGHT = 64  # px: from 100 % to -100 %
_TOP = 5  # px
_ACROSS = 1000  # units of the drawing's width
_TABLE_ROWS = 40

_Steps: TypeAlias = list[tuple[int, float]]
"""Places across, and how far down the line is from there on."""


def budget(of: Scene) -> Chart | None:
    """The chart of one scenario, or None where no clause of it says what may fail.

    Where nothing failed a sentence says it better than a level line.
    """
    found = allowance(of)
    if found is None:
        return None
    if not any(len(each.lost_s) for each in found.stretches):
        return Chart(TITLE, f"{found.clause}: {found.told}; none did")
    end = _left(found.worst, len(found.worst.lost_s))
    worst = f"at worst {end}" if len(found.stretches) > 1 else end
    return Chart(
        TITLE,
        f"{found.clause}: {found.told}; {worst}",
        _picture(of.axis, found, f"Error budget of {found.clause} over time: {worst}."),
        (Key("left", "left"), Key("overdrawn", "overdrawn: more failed than may")),
        _data(of.axis, found),
        (_series(of, found),),
    )


def _left(stretch: Stretch, lost: int) -> str:
    """What is left, in words: a percentage, unless nothing may fail at all."""
    if stretch.allowed == 0:
        return f"{lost:,} of {plural(stretch.requests, 'request')} failed"
    return f"{_percent(100 * stretch.left(lost))} left"


def _percent(value: float) -> str:
    """With three digits, or whole; and never rounded to 100 from what is not quite that."""
    shown = math.floor(value) if 99 < value < 100 else value
    rounded = float(round(shown)) if abs(shown) >= 100 else float(f"{shown:.3g}")
    return f"{number(rounded)}\N{NO-BREAK SPACE}%".replace("-", "\N{MINUS SIGN}")


def _picture(axis: Frame, found: Allowance, said: str) -> Markup:
    lines = [Markup('<path class="left" d="{}"/>').format(_drawn(axis, found, _line))]
    below = _drawn(axis, found, _below)
    areas = [Markup('<path class="overdrawn" d="{}"/>').format(below)] if below else []
    plot = scaled(_ACROSS, _HEIGHT, _TOP, _HEIGHT, [*areas, *lines])
    names = {"100 %": 0.0, "0 %": 0.5, "\N{MINUS SIGN}100 %": 1.0}
    heights = {name: _TOP + _HEIGHT * share for name, share in names.items()}
    levels = [level(y, "zero" if name == "0 %" else "grid") for name, y in heights.items()]
    margin = [margin_label(name, y + 4) for name, y in heights.items()]
    parts = [*levels, plot, *_true_number(axis, found.worst)]
    return svg(axis, _HEIGHT + _TOP + 3, said, parts, "budget", margin)


def _true_number(axis: Frame, worst: Stretch) -> Iterator[Markup]:
    """What was left in truth, where the line leaves the axis."""
    lost = len(worst.lost_s)
    if worst.left(lost) >= -1:
        return
    right = axis.place(worst.ended_s)
    at, anchor = (right, "end") if right > 40 else (axis.place(worst.began_s), "start")
    yield Markup('<text class="beyond" x="{}%" dx="{}" y="{}" text-anchor="{}">{}</text>').format(
        at, -4 if anchor == "end" else 4, _TOP + _HEIGHT - 6, anchor, _left(worst, lost)
    )


def _drawn(axis: Frame, found: Allowance, draw: Callable[[int, int, _Steps], str]) -> str:
    return "".join(draw(*_stairs(axis, each)) for each in found.stretches)


def _stairs(axis: Frame, stretch: Stretch) -> tuple[int, int, _Steps]:
    """From where to where a stretch goes, and each place at which a failure takes it lower."""
    begin, end = (_across(axis, time_s) for time_s in (stretch.began_s, stretch.ended_s))
    span_s = axis.ended_s - axis.began_s
    shares = np.clip((stretch.lost_s - axis.began_s) / span_s, 0, 1)
    columns, counts = np.unique(np.rint(shares * _ACROSS).astype(np.int64), return_counts=True)
    steps: _Steps = []
    for column, lost in zip(columns.tolist(), np.cumsum(counts).tolist(), strict=True):
        left = min(max(stretch.left(lost), -1.0), 1.0)
        steps.append((column, round(_HEIGHT * (1 - left) / 2, 1)))
    return begin, max(end, begin + 1), steps


def _across(axis: Frame, time_s: float) -> int:
    return round(axis.place(time_s) * _ACROSS / 100)


def _line(begin: int, end: int, steps: _Steps, from_y: float = 0.0) -> str:
    drawn, height = f"M{begin} {from_y:g}", from_y
    for column, y in steps:
        if y != height:
            drawn += f"H{column}V{y:g}"
            height = y
    return f"{drawn}H{end}"


def _below(begin: int, end: int, steps: _Steps) -> str:
    """The area between zero and what is overdrawn."""
    zero = _HEIGHT / 2
    under = [(column, y) for column, y in steps if y > zero]
    if not under:
        return ""
    return f"{_line(max(begin, under[0][0]), end, under, zero)}V{zero:g}z"


def _series(of: Scene, found: Allowance) -> Series:
    """What is left at the end of each step; failures where nothing may fail."""
    in_requests = all(each.allowed == 0 for each in found.stretches)
    values: list[float | None] = []
    for step in of.steps:
        inside = [
            s for s in found.stretches if s.began_s < step.ended_s and s.ended_s > step.began_s
        ]
        if not inside:
            values.append(None)
            continue
        stretch = inside[-1]
        lost = int(np.searchsorted(stretch.lost_s, step.ended_s, side="right"))
        left = stretch.left(lost)
        share = None if math.isinf(left) else round(100 * left, 2)
        values.append(float(lost) if in_requests else share)
    at_s = of.since_s([each.began_s for each in of.steps])
    name, unit = ("failed", "requests") if in_requests else ("left", "%")
    return Series(name, unit, at_s, tuple(values))


def _data(axis: Frame, found: Allowance) -> Grid:
    rows = [
        (
            clock(each.began_s, axis),
            clock(each.ended_s, axis),
            f"{each.requests:,}",
            number(each.allowed),
            f"{len(each.lost_s):,}",
            "—" if each.allowed == 0 else _percent(100 * each.left(len(each.lost_s))),
        )
        for each in found.stretches[:_TABLE_ROWS]
    ]
    columns = ("from", "to", "requests", "may fail", "failed", "left")
    if len(found.stretches) > _TABLE_ROWS:
        rows.append((f"and {len(found.stretches) - _TABLE_ROWS} more", *("—",) * 5))
    return Grid(columns, tuple(rows))
