"""Promised latencies, and the names of windows, on the latency chart."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from harness.contract import Limits
from harness.history import FaultRecord, Window
from reports.charts.frame import Frame
from reports.charts.latency import latency
from reports.charts.log_scale import LogScale, log_scale
from reports.charts.scene import Terms, scene
from reports.charts.windows import names
from reports.measure import Shade, shades
from tests.reports import sample
from tests.reports.reading import Element, read


def _picture(*verdicts: str, limits: Limits | None = None, unit: str = "ms") -> Element:
    """The chart of ten seconds of load at twice the capacity, with these clauses judged."""
    judged = tuple(sample.verdict(id_, "held", 30.0, 60.0, unit=unit) for id_ in verdicts)
    scenario = sample.kill_scenario(500, verdicts=judged)
    windows = (*scenario.history.windows, Window("offered", "2x", 110.0, 120.0))
    changed = replace(scenario, history=replace(scenario.history, windows=windows))
    chart = latency(scene(changed, Terms(limits or Limits())))
    return read(str(chart.picture))


def test_promised_latency_is_a_line_at_its_height() -> None:
    """100 ms stand two thirds up an axis from 1 ms to 1 s."""
    picture = _picture("L1", limits=Limits(latency_p99_ms=100.0))
    line = picture.find("line", "promised")[0].attributes
    grid = {each.words: each.attributes["y"] for each in picture.find("text", "margin")}

    assert float(line["y1"]) + 4 == pytest.approx(float(grid["100 ms"]))
    assert picture.find("text", "promised")[0].words == "L1: p99 ≤ 100 ms"


def test_no_promise_no_line() -> None:
    """A scenario that was not held to L1 shows no limit."""
    assert not _picture("T5").find("line", "promised")


def test_promise_at_twice_the_capacity_stands_in_its_window() -> None:
    """O2's bound is drawn where it counts, and nowhere else."""
    line = _picture("O2").find("line", "promised")[0].attributes

    assert (line["x1"], line["x2"]) == ("25.0%", "50.0%")
    assert not _picture("O2", unit="share").find("line", "promised")


def test_label_gives_way_to_the_windows_names() -> None:
    """At the upper edge of the plot the label stands below its line."""
    picture = _picture("L1", limits=Limits(latency_p99_ms=10_000.0))
    line, label = picture.find("line", "promised")[0], picture.find("text", "promised")[0]

    assert float(label.attributes["y"]) > float(line.attributes["y1"])


def test_scale_has_room_for_the_promise() -> None:
    """A limit far above all answers is on the axis, and so are the answers."""
    assert log_scale(np.array([0.004, 0.02]), (0.25,)) == LogScale(0, 3)
    assert log_scale(np.array([]), ()) == LogScale(0, 1)


def _frame(*shades_: tuple[float, float, str]) -> Frame:
    return Frame(0.0, 100.0, tuple(Shade("fault", name, *span) for *span, name in shades_))


def test_few_names_stand_above_the_chart() -> None:
    """Where names have room on the narrowest screen, there is nothing to list."""
    found = names(_frame((10.0, 20.0, "kill replica-2"), (50.0, 60.0, "slow cache")))

    assert (found.named, found.listed) == ("always", ())
    assert found.height == 34


def test_names_without_room_on_a_phone_are_numbered_there() -> None:
    """Eight windows in a row: names for wide screens, numbers and a list for narrow ones."""
    found = names(_frame(*((12.0 * n, 12.0 * n + 10, f"half open {n}") for n in range(8))))
    drawn = read("".join(found.parts))

    assert found.named == "wide"
    assert [each.attributes["class"] for each in drawn.find("g")] == ["names", "numbers"]
    assert [each.name for each in found.listed] == [f"half open {n}" for n in range(8)]
    assert found.listed[1].when == "12 s to 22 s"


def test_names_without_room_anywhere_are_numbered() -> None:
    """Thirty windows at once get numbers, and every name is in the list."""
    found = names(_frame(*((n, n + 30.0, f"throttle the store {n}") for n in range(30))))

    assert found.named == "never"
    assert len(found.listed) == 30


@pytest.mark.parametrize("count", [1, 3, 6, 8, 12])
@pytest.mark.parametrize("width_px", [860, 600, 240])
def test_names_do_not_run_into_each_other(count: int, width_px: int) -> None:
    """No two texts of one line share a pixel, whatever is drawn at this width."""
    step = 96.0 / count
    found = names(
        _frame(*((step * n, step * n + step / 2, f"window {n:02}") for n in range(count)))
    )
    groups = read("".join(found.parts)).find("g")
    shown = groups[-1] if width_px < 300 else groups[0]
    taken: dict[str, list[tuple[float, float]]] = {}
    for text in shown.find("text"):
        at, words = float(text.attributes["x"].rstrip("%")), text.text[0]
        width = 100 * len(words) * 6.5 / width_px
        begin = at if text.attributes["text-anchor"] == "start" else at - width
        taken.setdefault(text.attributes["y"], []).append((begin, begin + width))

    for spans in taken.values():
        ordered = sorted(spans)
        assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_window_is_named_with_its_target() -> None:
    """A fault's window says what it was aimed at, once."""
    scenario = sample.kill_scenario(10)
    fault = FaultRecord("kill", "slow", ("cache-path",), 115.0, 115.1, 120.0, 120.1)
    windows = (Window("fault", "slow", 115.0, 120.1),)
    history = replace(scenario.history, faults=(fault,), windows=windows)

    assert shades(replace(scenario, history=history))[0].name == "slow cache-path"
    assert shades(scenario)[0].name == "kill replica-2"
