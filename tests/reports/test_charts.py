"""What the charts draw of a history."""

import base64
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

from harness.history import Event, History, Window
from harness.run import Scenario
from reports.charts import CHARTS, cells, charts
from reports.charts.bitmap import layer
from reports.charts.frame import frame
from reports.charts.goodput import goodput
from reports.charts.latency import latency
from reports.charts.replicas import replicas
from reports.charts.scene import scene
from tests.reports import sample, sample_runs
from tests.reports.reading import read


def _drawn(path: str) -> set[tuple[int, int]]:
    """The cells (row, column) that a path marks, followed as a browser would."""
    marked = set()
    x = y = 0
    for letter, dx, dy, run in re.findall(r"([Mm])(-?\d+) (\d+)(?:\.5)?h(\d+)", path):
        x, y = (int(dx), int(dy)) if letter == "M" else (x + int(dx), y + int(dy))
        marked |= {(y, x + step) for step in range(int(run))}
        x += int(run)
    return marked


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_path_marks_the_cells_and_no_others(share: float) -> None:
    """Joining neighbours into runs neither loses a cell nor adds one."""
    wanted = np.random.default_rng(3).random((20, 50)) < share
    expected = {(int(row), int(column)) for row, column in np.argwhere(wanted)}

    assert expected == _drawn(cells.path(wanted))


def test_density_has_three_steps() -> None:
    """Thin, middling and crowded cells differ; where all are thin, all are drawn in full."""
    assert cells.density(np.array([[0, 1, 12, 100]])).tolist() == [[0, 1, 2, 3]]
    assert cells.density(np.array([[0, 1, 2]])).tolist() == [[0, 3, 3]]


def test_failures_are_drawn_after_successes() -> None:
    """The rare failure lies on top of the crowd, and the wrong answer on top of all."""
    chart = latency(
        scene(sample_runs.replace_requests(sample.kill_scenario(5000), wrong_every=500))
    )
    inside = read(str(chart.picture)).inside
    kinds = [each.attributes.get("class", "") for each in inside if each.name in {"path", "rect"}]
    kinds = [kind for kind in kinds if kind.split()[0] in {"good", "failed", "wrong"}]

    plotted = [kind.split()[0] for kind in kinds if "lane" not in kind]
    assert plotted == sorted(plotted, key=["good", "failed", "wrong"].index)
    assert {"good", "failed", "wrong"} == set(plotted)
    assert [kind for kind in kinds if "lane" in kind] == ["failed lane", "wrong lane"]


def test_latency_counts_every_request() -> None:
    """The key and the label give the numbers of the history."""
    scenario = sample.kill_scenario(2000)
    failed = int((scenario.history.requests["status"] != 0).sum())
    chart = latency(scene(scenario))

    assert failed > 0
    assert f"{2000 - failed:,} answered well, darker is denser" == chart.keys[0].meaning
    assert f"{failed:,} failed, drawn on top" == chart.keys[1].meaning
    assert f"{failed:,} failed" in str(chart.picture)
    assert chart.data is not None
    assert sum(int(row[1].replace(",", "")) for row in chart.data.rows) == 2000


def test_latency_counts_from_the_intended_time() -> None:
    """A request that was sent late is as slow as its schedule saw it."""
    scenario = sample.kill_scenario(50)
    late = scenario.history.requests.copy()
    late["sent_s"] += 5.0
    late["done_s"] = late["intended_s"] + 5.0
    late["status"] = 0
    chart = latency(scene(replace(scenario, history=replace(scenario.history, requests=late))))

    assert chart.data is not None
    assert {"5,000\N{NO-BREAK SPACE}ms"} == {row[4] for row in chart.data.rows} - {"—"}


def test_request_without_an_end_is_counted() -> None:
    """What cannot be drawn is said, not dropped in silence."""
    scenario = sample.kill_scenario(50)
    rows = scenario.history.requests.copy()
    rows["done_s"][:3] = np.nan
    chart = latency(scene(replace(scenario, history=replace(scenario.history, requests=rows))))

    assert "3 requests without an end not drawn" in chart.note


def test_windows_are_shaded_and_named() -> None:
    """The fault stands under its name, and the recovery after it until all is normal."""
    chart = latency(scene(sample.kill_scenario(100)))
    picture = read(str(chart.picture))

    assert "kill replica-2" in picture.find("text", "window")[0].words
    assert "recovering" in picture.find("text", "window")[1].words
    assert [each.attributes["x"] for each in picture.find("rect", "fault")] == ["37.5%"]
    assert len(picture.find("rect", "recovery")) == 1


def test_recovery_that_never_came_lasts_to_the_end() -> None:
    """Without a recovery the shade goes on, and says so."""
    shade = frame(sample_runs.unproven_scenario(100)).shades[-1]

    assert (shade.name, shade.ended_s) == ("not recovered", 440.0)


def test_goodput_says_what_was_lost() -> None:
    """The label counts the good answers, and the table what is missing."""
    scenario = sample.kill_scenario(2000)
    failed = int((scenario.history.requests["status"] != 0).sum())
    chart = goodput(scene(scenario))

    assert f"{2000 - failed:,} of 2,000" in str(chart.picture)
    assert chart.data is not None
    assert failed == sum(int(row[3]) for row in chart.data.rows)


def test_replicas_show_state_and_belief() -> None:
    """A killed replica is down until its successor is ordered; the balancer believes on."""
    chart = replicas(scene(sample.kill_scenario(100)))
    titles = [each.words for each in read(str(chart.picture)).find("title")]

    assert "replica-2 down from 15 s to 16.1 s" in titles
    assert "replica-4 starting from 16.1 s to 21.2 s" in titles
    assert "the balancer sends to replica-2 from -6.8 s to 16.8 s" in titles


def test_replica_that_stops_cleanly_is_not_down() -> None:
    """A scaled-down replica that exits with 0 was not lost."""
    events = (
        Event(0.0, "replica.ordered", "a", {"slot": 0, "predecessor": None}),
        Event(1.0, "replica.ready", "a"),
        Event(2.0, "replica.unready", "a"),
        Event(3.0, "replica.ready", "a"),
        Event(5.0, "replica.died", "a", {"exit_code": 0}),
    )
    history = History("stop", 0.0, 8.0, events=events)
    chart = replicas(scene(Scenario("stop", "", "", "", history)))
    titles = [each.words.split()[1] for each in read(str(chart.picture)).find("title")]

    assert titles == ["starting", "ready", "not", "ready", "stopped"]


def test_charts_of_nothing_say_so() -> None:
    """A history without requests and replicas has words in place of pictures, or no chart."""
    empty = Scenario("none", "", "", "", History("none", 0.0, 0.0))

    drawn = [each(scene(empty)) for each in CHARTS]

    for chart in (each for each in drawn if each is not None):
        assert chart.picture is None
        assert chart.note.endswith(".")
    assert sum(each is None for each in drawn) == 3


def test_odd_histories_are_drawn() -> None:
    """One request, no span, windows outside the scenario, no latency: each has its chart."""
    scenario = sample.kill_scenario(1)
    rows = scenario.history.requests.copy()
    rows["done_s"] = rows["intended_s"]
    history = replace(
        scenario.history,
        requests=rows,
        began_s=float(rows["intended_s"][0]),
        ended_s=float(rows["intended_s"][0]),
        windows=(Window("fault", "early", 0.0, 1.0), Window("fault", "late", 900.0, 901.0)),
    )

    for chart in charts(replace(scenario, history=history)):
        assert "nan" not in str(chart.picture)


def test_crowd_of_failures_does_not_hide_the_answers() -> None:
    """Rare failures are drawn large; a great many of them by their density, as answers are."""
    scenario = sample.kill_scenario(20000)
    rows = scenario.history.requests.copy()
    rows["status"][::2] = 14
    crowded = replace(scenario, history=replace(scenario.history, requests=rows))
    rare, many = (read(str(latency(scene(each)).picture)) for each in (scenario, crowded))

    assert [p.attributes["class"] for p in rare.find("path", "failed")] == ["failed", "failed lane"]
    assert [r.attributes["class"] for r in many.find("rect", "failed")] == ["failed crowd"]
    assert [p.attributes["class"] for p in many.find("path", "failed")] == ["failed lane"]


@pytest.mark.parametrize("width", [440, 7])
def test_picture_holds_every_density(width: int) -> None:
    """A PNG of two bits a cell, whose four shades stand for the densities, with an empty edge."""
    wanted = np.random.default_rng(3).integers(0, 4, (20, width))
    drawn = read(str(layer("good", wanted, "here")))
    data = base64.b64decode(drawn.find("image")[0].attributes["href"].partition(",")[2])
    cut = data.index(b"IDAT")
    size = int.from_bytes(data[cut - 4 : cut], "big")
    packed = np.frombuffer(zlib.decompress(data[cut + 4 : cut + 4 + size]), dtype=np.uint8)
    rows = packed.reshape(21, -1)
    cells_ = (rows[:, 1:, None] >> np.array([6, 4, 2, 0])) & 3

    assert not rows[:, 0].any()
    shown = cells_.reshape(21, -1)
    assert (shown[:20, :width] == wanted).all()
    assert not shown[20].any()
    assert not shown[:, width:].any()
    assert data[data.index(b"PLTE") + 4 :][:12] == bytes(
        [0] * 3 + [120] * 3 + [184] * 3 + [255] * 3
    )
    assert (
        drawn.find("rect")[0].attributes["mask"]
        == f"url(#{drawn.find('mask')[0].attributes['id']})"
    )


def test_pictures_of_two_charts_have_names_of_their_own() -> None:
    """The same cells in two scenarios do not share a name on the page; no cells, no picture."""
    cells_ = np.ones((2, 2), dtype=np.int64)
    names = {read(str(layer("good", cells_, of))).find("mask")[0].attributes["id"] for of in "ab"}

    assert len(names) == 2
    assert layer("good", cells_ * 0, "a") == ""
