"""How the report writes numbers, quantities and verdicts, on the page and in the summary."""

import math
from datetime import datetime
from typing import Protocol

from harness.contract import Number, Outcome

SIGNS = {Outcome.HELD: "✓", Outcome.BROKEN: "✗", Outcome.INCONCLUSIVE: "?"}
WORST_FIRST = (Outcome.BROKEN, Outcome.INCONCLUSIVE, Outcome.HELD)
_COMPARISONS = {"<=": "≤ ", ">=": "≥ "}
_COUNTS = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_GAP = "\N{NO-BREAK SPACE}"


class Judged(Protocol):
    """What was promised and measured: of a verdict, or of what is kept of one."""

    @property
    def promised(self) -> Number | str:
        """The limit."""

    @property
    def measured(self) -> Number | str | None:
        """None where there was nothing to measure."""

    @property
    def unit(self) -> str:
        """Of both."""

    @property
    def comparison(self) -> str:
        """How measured must stand to promised: <=, >= or ==."""


def number(value: Number, digits: int = 4) -> str:
    """The number with so many significant digits; whole numbers keep all of theirs."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    written = f"{value:,.{decimals}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def quantity(value: Number | str | None, unit: str, digits: int = 4) -> str:
    """A value with its unit. Shares are written as percentages; a text speaks for itself."""
    if value is None:
        return "not measured"
    if isinstance(value, str):
        return value or "—"
    if unit == "share":
        value, unit = value * 100, "%"
    if not unit:
        return number(value, digits)
    gap = _GAP if len(unit) <= 3 else " "  # a symbol stays with its number, a word may wrap
    return f"{number(value, digits)}{gap}{_singular(unit) if value == 1 else unit}"


def _singular(unit: str) -> str:
    if len(unit) <= 2 or not unit.endswith("s") or unit.endswith(("ss", "us")):
        return unit
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit[:-1]


def promised(verdict: Judged) -> str:
    """The limit as it was promised, such as ``≤ 10 s``."""
    written = quantity(verdict.promised, verdict.unit)
    if isinstance(verdict.promised, str) or (verdict.promised == 0 and verdict.comparison == "<="):
        return written  # no more than none is none
    return _COMPARISONS.get(verdict.comparison, "").replace(" ", _GAP) + written


def measured(verdict: Judged) -> str:
    """The measured value, with as many digits as it takes to tell it from the limit."""
    limit = verdict.promised
    for digits in (4, 6, 9):
        written = quantity(verdict.measured, verdict.unit, digits)
        if verdict.measured == limit or written != quantity(limit, verdict.unit, digits):
            return written
    return f"{verdict.measured!r} {verdict.unit}".strip()


def milliseconds(value_s: float | None) -> str:
    """A time given in seconds, in milliseconds; a dash where there is none."""
    if value_s is None or not math.isfinite(value_s):
        return "—"
    return f"{number(value_s * 1000, 3)}{_GAP}ms"


def seconds(value_s: float | None, digits: int = 3) -> str:
    """A time in seconds; a dash where there is none."""
    if value_s is None or not math.isfinite(value_s):
        return "—"
    return f"{number(round(value_s, 6), digits)}{_GAP}s"


def duration(value_s: float) -> str:
    """A length of time for people, such as ``6 min 12 s``."""
    if value_s < 60:
        return seconds(value_s)
    minutes, rest_s = divmod(round(value_s), 60)
    return f"{minutes:,}{_GAP}min" + (f" {rest_s}{_GAP}s" if rest_s else "")


def day_and_time(began_at: str, now: str = "") -> str:
    """A wall-clock time such as ``20 Nov 14:03``, with its year where that is not the one of now.

    What is no ISO 8601 time stays as it is.
    """
    try:
        moment = datetime.fromisoformat(began_at)
    except ValueError:
        return began_at
    year = "" if now.startswith(f"{moment:%Y}-") or not now else f" {moment:%Y}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M}"


def plural(count: int, noun: str) -> str:
    """The count and its noun, such as ``1 scenario`` and ``2 scenarios``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def counted(count: int) -> str:
    """A count that opens a sentence: a word up to nine, digits above."""
    return _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"


def shortened(text: str, length: int) -> str:
    """The text cut in the middle to so many characters: names often differ at their end."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def clipped(text: str, length: int) -> str:
    """The text cut at the last word that fits into so many characters."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,;:") + "…"


def phase(name: str) -> str:
    """The name of a phase time in words: ``first_correct_s`` is ``first correct``."""
    return name.removesuffix("_s").replace("_", " ")
