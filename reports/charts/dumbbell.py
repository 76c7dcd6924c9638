"""One verdict then and now on a scale of its own limit, so that rows of any unit stand together."""

import math

from markupsafe import Markup

from harness.contract import Number, Verdict
from reports.change import figure
from reports.digest import Point
from reports.words import measured, promised, quantity

_LIMIT_AT = 200 / 3  # percent of the width, in every row; the right edge is 1.5 limits
_MIDDLE = 9  # px


def dumbbell(then: Point, now: Verdict) -> Markup:
    """Both values and the limit; empty where the value of now or its limit is no number."""
    after, limit = figure(now), now.promised
    if after is None or isinstance(limit, str) or not math.isfinite(limit):
        return Markup("")
    before = figure(then) if then.unit == now.unit else None
    values = [value for value in (before, after) if value is not None]
    if limit < 0 or min(values) < 0:
        return Markup("")
    parts = [_breach(now.comparison)]
    if before is not None:
        parts += _handle(before, after, limit)
    parts += [_limit(), *_end(after, limit, f"now {now.verdict}", values)]
    if before is not None:
        parts += _end(before, limit, "then", values)
    return Markup(
        '<svg class="dumbbell" role="img" aria-label="{}" height="18">'
        '<rect class="track" y="{}" width="100%" height="2"/>{}</svg>'
    ).format(_label(then, now, values, limit), _MIDDLE - 1, Markup("").join(parts))


def _label(then: Point, now: Verdict, values: list[Number], limit: Number) -> str:
    was = quantity(then.measured, then.unit)
    beyond = any(_place(each, limit, values) > 100 for each in values)
    rest = "; the scale ends at 1.5 limits" if beyond else ""
    return f"then {was}, now {measured(now)}, promised {promised(now)}{rest}"


def _place(value: Number, limit: Number, values: list[Number]) -> float:
    """Percent of the width; above 100 is beyond the scale."""
    if limit:
        return round(_LIMIT_AT * value / limit, 2)
    # Any value but zero breaks a limit of zero: the room beyond the limit is the scale then.
    return round(_LIMIT_AT + (100 - _LIMIT_AT) * value / (max(values) or 1.0), 2)


def _breach(comparison: str) -> Markup:
    """The side of the limit on which the promise is broken."""
    left, right = {"<=": (_LIMIT_AT, 100.0), ">=": (0.0, _LIMIT_AT)}.get(comparison, (0.0, 100.0))
    return Markup('<rect class="breach" x="{}%" width="{}%" height="18"/>').format(
        round(left, 2), round(right - left, 2)
    )


def _limit() -> Markup:
    at = round(_LIMIT_AT, 2)
    return Markup('<line class="limit" x1="{}%" x2="{}%" y2="18"/>').format(at, at)


def _handle(before: Number, after: Number, limit: Number) -> list[Markup]:
    ends = [min(_place(each, limit, [before, after]), 100.0) for each in (before, after)]
    return [
        Markup('<line class="handle" x1="{}%" x2="{}%" y1="{}" y2="{}"/>').format(
            *ends, _MIDDLE, _MIDDLE
        )
    ]


def _end(value: Number, limit: Number, kind: str, values: list[Number]) -> list[Markup]:
    """One value as a circle; an arrow beside it says that it lies further out."""
    at = _place(value, limit, values)
    circle = Markup('<circle class="{}" cx="{}%" cy="{}" r="{}"/>').format(
        kind, min(at, 100.0), _MIDDLE, 5 if kind == "then" else 4
    )
    arrow = Markup('<text class="beyond" x="100%" dx="7" y="{}">▸</text>').format(_MIDDLE + 5)
    return [circle, arrow] if at > 100 else [circle]
