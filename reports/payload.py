"""What the page's script reads: the values behind the charts of one scenario, as JSON.

Without the script nobody misses it: the charts draw the same, and their tables tell it.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from markupsafe import Markup

from harness.fleet import lives
from harness.run import Scenario
from reports.charts.chart import Chart
from reports.charts.frame import Frame, frame
from reports.charts.places import first_places, replicas_in
from reports.charts.states import states

_DIGITS = 4  # significant: more than a reader can take in while a line moves
_PLACES = 32  # of the fleet, as many as are drawn

Json: TypeAlias = dict[str, object]


def payload(scenario: Scenario, charts: Sequence[Chart]) -> Markup:
    """All instants in it are seconds since the time axis began."""
    axis = frame(scenario)
    axes: list[tuple[float, ...]] = []
    document = {
        "span_s": _since(axis, axis.ended_s),
        "axes": axes,
        "charts": [_chart(each, axes) for each in charts if each.picture],
        "states": _states(scenario, axis),
        "windows": [_stretch(axis, each.name, each.began_s, each.ended_s) for each in axis.shades],
    }
    # ASCII, so that a broken character of a log line cannot break the page. With every "<" escaped
    # nothing inside ends the element.
    written = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return Markup(written.replace("<", "\\u003c"))  # noqa: S704 - it is inside of a data block


def _chart(chart: Chart, axes: list[tuple[float, ...]]) -> Json:
    """The series of a chart. Those of a scenario share a few axes, which are told once."""
    series = []
    for each in chart.series:
        if each.at_s not in axes:
            axes.append(each.at_s)
        values = [_rounded(value) for value in each.values]
        place = axes.index(each.at_s)
        series.append({"name": each.name, "unit": each.unit, "axis": place, "values": values})
    return {"title": chart.title, "series": series}


def _states(scenario: Scenario, axis: Frame) -> list[Json]:
    """The states of the replicas that are drawn, each from its instant to the next."""
    history = scenario.history
    # A long run has many events, of which few are about replicas; each replica looks at them all.
    turns = tuple(each for each in history.events if each.kind.startswith("replica."))
    fleet = replace(history, events=turns)
    known = lives(turns)
    drawn, _ = first_places(fleet, _PLACES)
    told: list[Json] = []
    for life in replicas_in(drawn):
        stretches = list(states(life, known, fleet))
        at_s = [_since(axis, each.began_s) for each in stretches]
        words: list[str | None] = [each.word for each in stretches]
        ended_s = stretches[-1].ended_s
        if ended_s < history.ended_s:
            at_s.append(_since(axis, ended_s))
            words.append(None)
        told.append({"name": life.name, "at_s": at_s, "words": words})
    return told


def _stretch(axis: Frame, name: str, began_s: float, ended_s: float) -> Json:
    return {"name": name, "from_s": _since(axis, began_s), "to_s": _since(axis, ended_s)}


def _since(axis: Frame, time_s: float) -> float:
    return round(time_s - axis.began_s, 3)


def _rounded(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
