"""The time axis that all charts of a scenario share, and the shaded windows behind them.

Across, places are percentages; down, they are pixels. So a chart is as wide as its column, and its
text keeps its size on any screen. Labels of the other axis stand in the margin left of zero.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from harness.run import Scenario
from reports.measure import Shade, Times, shades
from reports.words import number

_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600)
_TICKS = 7
AXIS = 20  # px: the height of the time axis under a chart


@dataclass(frozen=True, slots=True)
class Frame:
    """The stretch of time that is drawn, and what is shaded in it."""

    began_s: float
    ended_s: float
    shades: tuple[Shade, ...]

    def place(self, time_s: float) -> float:
        """Where an instant stands, in percent of the width; instants outside stand at the edge."""
        share = (time_s - self.began_s) / (self.ended_s - self.began_s)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def edges_s(self, at_most: int, at_least_s: float = 0.1) -> Times:
        """Even stretches of a round length, so many at most, from the beginning to the end."""
        span_s = self.ended_s - self.began_s
        step_s = _step_s(span_s, at_most, at_least_s)
        inner = np.arange(0.0, span_s, step_s)
        if len(inner) > 1 and span_s - inner[-1] < step_s / 2:
            inner = inner[:-1]
        edges: Times = self.began_s + np.append(inner, span_s)
        return edges


def frame(scenario: Scenario) -> Frame:
    """The time axis of a scenario: all of its span, and every request that was meant to be sent."""
    history = scenario.history
    intended = history.requests["intended_s"]
    began_s, ended_s = history.began_s, history.ended_s
    timed = intended[np.isfinite(intended)]
    if len(timed):
        began_s = min(began_s, float(timed.min()))
        ended_s = max(ended_s, float(timed.max()))
    return Frame(began_s, max(ended_s, began_s + 0.001), shades(scenario))


def clock(time_s: float, of: Frame) -> str:
    """An instant as seconds since the scenario began."""
    return f"{number(round(time_s - of.began_s, 2))} s"


def svg(
    of: Frame,
    height: int,
    label: str,
    parts: Iterable[Markup],
    kind: str,
    margin: Iterable[Markup] = (),
    over: Iterable[Markup] = (),
) -> Markup:
    """The chart around its parts: shading behind them, time axis under them, the label in words.

    All that has a place in time stands in ``svg.time``, so that a script zooms by giving it another
    width and place; ``margin`` stands still, and so does ``over``, which lies on top.
    """
    inside = Markup("").join([*_shading(of, height), *parts, *_ticks(of, height)])
    return Markup(
        '<svg class="chart {}" role="img" aria-label="{}" height="{}">{}'
        '<svg class="view" aria-hidden="true"><svg class="time" aria-hidden="true">{}</svg></svg>'
        "{}</svg>"
    ).format(kind, label, height + AXIS, Markup("").join(margin), inside, Markup("").join(over))


def scaled(columns: int, rows: int, top: int, height: int, parts: Sequence[Markup]) -> Markup:
    """A drawing in cells, stretched over the width of the chart."""
    return Markup(
        '<svg y="{}" width="100%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none"'
        ' aria-hidden="true">{}</svg>'
    ).format(top, height, columns, rows, Markup("").join(parts))


def margin_label(text: str, y: float, kind: str = "") -> Markup:
    """A label in the margin, left of the chart."""
    return Markup('<text class="{}" x="-8" y="{:g}">{}</text>').format(
        f"margin {kind}".strip(), round(y, 1), text
    )


def margin_labels(text: str, short: str, y: float) -> Markup:
    """A label in the margin, and the shorter one that narrow screens show in its place."""
    if text == short:
        return margin_label(text, y)
    return margin_label(text, y, "wide") + margin_label(short, y, "narrow")


def level(y: float, kind: str = "grid") -> Markup:
    """A horizontal line across the chart."""
    return Markup('<line class="{}" x2="100%" y1="{}" y2="{}"/>').format(kind, y, y)


def _shading(of: Frame, height: int) -> list[Markup]:
    result = []
    for each in of.shades:
        left = of.place(each.began_s)
        width = max(round(of.place(each.ended_s) - left, 2), 0.15)
        result.append(
            Markup(
                '<rect class="{}" x="{}%" width="{}%" height="{}"><title>{}</title></rect>'
            ).format(each.kind, left, width, height, each.name)
        )
    return result


def _ticks(of: Frame, height: int) -> list[Markup]:
    span_s = of.ended_s - of.began_s
    step_s = _step_s(span_s, _TICKS, 0.0)
    result = []
    for index in range(math.floor(span_s / step_s + 1e-9) + 1):
        at_s = index * step_s
        minor = " minor" if index % 2 else ""
        result.append(
            Markup('<text class="tick{}" x="{}%" y="{}">{} s</text>').format(
                minor, of.place(of.began_s + at_s), height + 15, number(round(at_s, 3))
            )
        )
    return result


def _step_s(span_s: float, at_most: int, at_least_s: float) -> float:
    for step_s in _STEPS_S:
        if step_s >= at_least_s and span_s / step_s <= at_most:
            return step_s
    return max(span_s / at_most, at_least_s)
