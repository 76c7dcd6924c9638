"""What every chart hands to the page: a title, a picture with its meaning in words, its data."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Grid:
    """A data table: the same facts as the picture, for readers of text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a chart's key: the CSS class of its mark, and what the mark means."""

    mark: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity over time, for the values under the cross-hair.

    Each value counts from its instant up to the next one; None where there is none to tell.
    """

    name: str  # such as ``p99``
    unit: str  # such as ``ms``
    at_s: tuple[float, ...]  # seconds since the chart's beginning, ascending
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Numbered:
    """A shaded window by its number, where its name has no room above the chart."""

    name: str
    when: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure. ``picture`` is None where there is nothing to draw; ``note`` says why."""

    title: str
    note: str
    picture: Markup | None = None
    keys: tuple[Key, ...] = ()
    data: Grid | None = None
    series: tuple[Series, ...] = ()
    windows: tuple[Numbered, ...] = ()
    windows_named: bool = True  # whether wide screens show their names above the chart
    remarks: tuple[str, ...] = ()  # sentences under the picture: what must not be overlooked
    more: Grid | None = None  # a second table, of facts that the picture does not show
