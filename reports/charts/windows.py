"""The names of the shaded windows above a chart: a line as long as the window, and its name.

Names that have no room beside each other give way to numbers, which a list under the chart's title
explains: on narrow screens only, or everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markupsafe import Markup

from reports.charts.chart import Numbered
from reports.charts.frame import Frame, clock
from reports.words import shortened

Named: TypeAlias = Literal["always", "wide", "never"]

_LANE = 17  # px: the height of one line of names
_LANES, _FEW_LANES = 4, 2  # more of them would push the chart away; on narrow screens
_WIDE, _NARROW = 600, 240  # px: the width on paper, and the least on a screen
_LETTER = 6.7  # px: the mean width of one, generously
_LONGEST = 34  # letters


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one name stands."""

    lane: int
    at: float  # percent of the width
    anchor: str
    began: float
    ended: float

    def overlaps(self, other: "_Place") -> bool:
        """Whether the two would touch each other."""
        if self.lane != other.lane:
            return False
        return self.began < other.ended and other.began < self.ended


@dataclass(frozen=True, slots=True)
class Names:
    """What to draw above a chart, how high it is, and what to list beside it."""

    height: int
    parts: tuple[Markup, ...]
    named: Named
    listed: tuple[Numbered, ...]


def names(of: Frame) -> Names:
    """The names of the windows of a chart."""
    texts = [shortened(each.name, _LONGEST) for each in of.shades]
    numbers = [str(place) for place in range(1, len(texts) + 1)]
    everywhere = _plan(of, texts, _NARROW, _FEW_LANES)
    if everywhere is not None:
        return Names(
            _height(everywhere), _group(of, texts, everywhere, "names always"), "always", ()
        )
    short = _plan(of, numbers, _NARROW) or _crowded(of)
    wide = _plan(of, texts, _WIDE)
    listed = tuple(
        Numbered(each.name, f"{clock(each.began_s, of)} to {clock(each.ended_s, of)}")
        for each in of.shades
    )
    if wide is None:
        return Names(_height(short), _group(of, numbers, short, "numbers always"), "never", listed)
    both = (*_group(of, texts, wide, "names"), *_group(of, numbers, short, "numbers"))
    return Names(max(_height(wide), _height(short)), both, "wide", listed)


def _plan(
    of: Frame, texts: Sequence[str], width_px: int, lanes: int = _LANES
) -> list[_Place] | None:
    """A place for each text in the first lane with room, or None where there are too few lanes."""
    result: list[_Place] = []
    for shade, text in zip(of.shades, texts, strict=True):
        left, right = of.place(shade.began_s), of.place(shade.ended_s)
        width = 100 * (len(text) * _LETTER + 8) / width_px
        fits = left + width <= 100
        at, anchor = (left, "start") if fits else (right, "end")
        ends = (left, max(right, left + width)) if fits else (min(left, right - width), right)
        tried = (_Place(lane, at, anchor, *ends) for lane in range(lanes))
        free = (each for each in tried if not any(each.overlaps(other) for other in result))
        chosen = next(free, None)
        if chosen is None or ends[0] < 0:
            return None
        result.append(chosen)
    return result


def _crowded(of: Frame) -> list[_Place]:
    """Places where there is no room for all: in turn, so that neighbours stay apart."""
    return [
        _Place(index % _LANES, of.place(each.began_s), "start", 0.0, 0.0)
        for index, each in enumerate(of.shades)
    ]


def _height(places: Sequence[_Place]) -> int:
    return _LANE * max((each.lane + 1 for each in places), default=0)


def _group(
    of: Frame, texts: Sequence[str], places: Sequence[_Place], kind: str
) -> tuple[Markup, ...]:
    inside = Markup("").join(
        Markup(
            '<line class="extent {}" x1="{}%" x2="{}%" y1="{}" y2="{}"/>'
            '<text class="window" x="{}%" y="{}" text-anchor="{}">{}<title>{}</title></text>'
        ).format(
            shade.kind,
            of.place(shade.began_s),
            of.place(shade.ended_s),
            _LANE * place.lane + 14.5,
            _LANE * place.lane + 14.5,
            place.at,
            _LANE * place.lane + 11,
            place.anchor,
            text,
            shade.name,
        )
        for shade, text, place in zip(of.shades, texts, places, strict=True)
    )
    return (Markup('<g class="{}">{}</g>').format(kind, inside),) if places else ()
