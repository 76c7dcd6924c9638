"""What became of one verdict since another run: its word, its figure, and which way that is."""

import math
from dataclasses import dataclass

from harness.contract import Number, Outcome, Verdict
from reports.digest import Point
from reports.words import Judged, clipped, quantity

NOTABLE_SHARE = 0.05
"""Of the limit. A figure that moved by less is not worth a reader's time."""
_MINUS = "\N{MINUS SIGN}"
_TEXT = 60  # characters of a measured text
_OUTCOMES = {
    (Outcome.BROKEN, Outcome.HELD): "better",
    (Outcome.HELD, Outcome.BROKEN): "worse",
}
"""What could not be judged is neither: then only the words say what changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """From then to now."""

    verdict: str  # such as ``was broken``; empty where it is the same as then
    amount: str  # such as ``+0.31 pt``, or in words where no number can be told
    tendency: str  # better | worse | empty: too little to speak of, or no way to tell
    notable: bool
    shares: float  # how far the figure moved, in limits; 0 where there is no number to tell

    def __str__(self) -> str:
        """All of it in words."""
        return ", ".join(filter(None, (self.verdict, self.amount, self.tendency)))


def change(then: Point, now: Verdict) -> Change:
    """What became of the verdict ``then``."""
    other = then.verdict is not now.verdict
    moved = _moved(then, now)
    shares = abs(moved) if math.isfinite(moved) else 0.0
    notable = (
        other or shares > NOTABLE_SHARE or (then.unit != now.unit and now.measured is not None)
    )
    return Change(
        verdict=f"was {then.verdict}" if other else "",
        amount=_amount(then, now),
        tendency=_tendency(then, now, moved) if notable else "",
        notable=notable,
        shares=shares,
    )


def figure(of: Judged) -> Number | None:
    """The measured value where it is a number that can be drawn."""
    value = of.measured
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def strain(of: Judged) -> float | None:
    """How hard the measured value strains its limit: 1 is the limit itself, more breaks it.

    None where there are no two numbers to compare. A limit of zero is left by any value but zero.
    """
    value, limit = figure(of), of.promised
    if value is None or isinstance(limit, str) or not math.isfinite(limit):
        return None
    scale = abs(limit) or 1.0
    if of.comparison == "==":
        return 1.0 + abs(value - limit) / scale
    return 1.0 + (value - limit) / scale * (-1.0 if of.comparison == ">=" else 1.0)


def _moved(then: Point, now: Verdict) -> float:
    """How far towards breaking the limit of now the figure moved, in limits; nan: unknown."""
    before, after = figure(then), figure(now)
    limit = now.promised
    if before is None or after is None or then.unit != now.unit or isinstance(limit, str):
        return math.nan
    if before == after:
        return 0.0
    if now.comparison == "==":
        delta = abs(after - limit) - abs(before - limit)
    else:
        delta = (after - before) * (-1.0 if now.comparison == ">=" else 1.0)
    if limit:
        return delta / abs(limit)
    return math.copysign(max(abs(delta), 1.0), delta) if delta else 0.0


def _tendency(then: Point, now: Verdict, moved: float) -> str:
    if then.verdict is not now.verdict:
        return _OUTCOMES.get((then.verdict, now.verdict), "")
    if not math.isfinite(moved) or moved == 0:
        return ""
    return "worse" if moved > 0 else "better"


def _amount(then: Point, now: Verdict) -> str:
    before, after = figure(then), figure(now)
    if before is None or after is None or then.unit != now.unit:
        if (then.measured, then.unit) == (now.measured, now.unit):
            return "the same"
        return f"then {clipped(quantity(then.measured, then.unit), _TEXT)}"
    if quantity(before, now.unit) == quantity(after, now.unit):
        return "±0"
    sign = "+" if after > before else _MINUS
    moved = abs(after - before)
    if now.unit == "share":
        return sign + quantity(moved * 100, "pt", 2)
    # The difference of two percentages is no percentage of anything.
    unit = now.unit.replace("%", "pt", 1) if now.unit.startswith("%") else now.unit
    return sign + quantity(moved, unit, 2)
