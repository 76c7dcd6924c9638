"""A clause over the last runs, small enough for a list: a line, and a mark for each verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from harness.contract import Number, Outcome
from reports.change import figure
from reports.digest import Point

WIDTH, HEIGHT = 220, 44  # px
_EDGE = 6  # px: room for half a mark
_LANE = 10  # px: under the line, for runs without a number
_MARKS = {
    Outcome.HELD: "h0",
    Outcome.BROKEN: "m-3.5-3.5 7 7m0-7-7 7",
    Outcome.INCONCLUSIVE: "m0-4 4 4-4 4-4-4z",
}
"""A dot, a cross, a diamond: the shape says the verdict, its colour says it again."""


def sparkline(points: Sequence[Point], label: str) -> Markup:
    """The points from left to right, the last one being of the run that the page is about."""
    unit = next((each.unit for each in reversed(points) if figure(each) is not None), "")
    values = [figure(each) if each.unit == unit else None for each in points]
    limit = _limit(points, unit)
    scale = _scale(values, limit)
    drawn = [Markup('<g class="line">{}</g>').format(Markup("").join(_lines(values, scale)))]
    if limit is not None:
        y = scale.y(limit)
        drawn.append(Markup('<line class="limit" x2="{}" y1="{}" y2="{}"/>').format(WIDTH, y, y))
    places = [f"M{scale.x(index)} {scale.y(value)}" for index, value in enumerate(values)]
    for outcome, shape in _MARKS.items():
        path = "".join(
            f"{place}{shape}"
            for place, each in zip(places, points, strict=True)
            if each.verdict is outcome
        )
        if path:
            drawn.append(Markup('<path class="{}" d="{}"/>').format(outcome, path))
    return Markup(
        '<svg class="sparkline" role="img" aria-label="{}" width="{}" height="{}">{}</svg>'
    ).format(label, WIDTH, HEIGHT, Markup("").join(drawn))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Places in px. The scale begins at zero, because half of a value is half of its height."""

    least: float
    span: float
    step: float  # between two runs

    def x(self, index: int) -> float:
        """Runs stand at even distances: what counts is their order."""
        return round(_EDGE + index * self.step, 1)

    def y(self, value: Number | None) -> float:
        """The height of a value; runs without a number stand under the line."""
        if value is None:
            return HEIGHT - _EDGE + 1
        height = HEIGHT - _LANE - 2 * _EDGE
        return round(_EDGE + height * (1 - (value - self.least) / self.span), 1)


def _scale(values: Sequence[Number | None], limit: Number | None) -> _Scale:
    known = [0.0, *(value for value in (*values, limit) if value is not None)]
    least = min(known)
    step = (WIDTH - 2 * _EDGE) / max(len(values) - 1, 1)
    return _Scale(least, (max(known) - least) or 1.0, step)


def _limit(points: Sequence[Point], unit: str) -> Number | None:
    """The limit, where it was the same number in all of these runs."""
    limits = {each.promised for each in points if each.unit == unit}
    only = limits.pop() if len(limits) == 1 else None
    return only if isinstance(only, (int, float)) and abs(only) < float("inf") else None


def _lines(values: Sequence[Number | None], scale: _Scale) -> Iterable[Markup]:
    """A line through each stretch of neighbours that have a number."""
    for known, stretch in groupby(enumerate(values), key=lambda each: each[1] is not None):
        places = [f"{scale.x(index)} {scale.y(value)}" for index, value in stretch]
        if known and len(places) > 1:
            yield Markup('<path d="M{}"/>').format(" ".join(places))
