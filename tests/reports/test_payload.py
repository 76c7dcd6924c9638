"""What the page's script is told of a scenario."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.run import Scenario
from reports.charts import charts
from reports.charts.chart import Chart, Series
from reports.payload import payload
from tests.reports import sample
from tests.reports.sample_hostile import HOSTILE, hostile


def told(scenario: Scenario, drawn: Sequence[Chart] | None = None) -> dict[str, Any]:
    """The payload of a scenario, as the script has it."""
    written = payload(scenario, charts(scenario) if drawn is None else drawn)
    document: dict[str, Any] = json.loads(written)
    return document


def chart(*series: Series) -> Chart:
    """A chart with a picture and these series."""
    picture = charts(sample.kill_scenario(100))[0].picture
    return Chart("Some chart", "", picture, series=series)


def test_all_series_of_all_charts_are_told() -> None:
    """Every drawn chart is there by its title, with the names and units of its series."""
    scenario = sample.kill_scenario()
    drawn = [each for each in charts(scenario) if each.picture]
    document = told(scenario)

    assert [each.title for each in drawn] == [each["title"] for each in document["charts"]]
    for expected, found in zip(drawn, document["charts"], strict=True):
        names = [(each["name"], each["unit"]) for each in found["series"]]
        assert [(each.name, each.unit) for each in expected.series] == names
    assert sum(len(each["series"]) for each in document["charts"]) >= 4


def test_values_keep_four_digits_and_what_is_unknown_is_null() -> None:
    """What cannot be told is told as nothing, and never as a number."""
    values = (0.00123456, 98765.4, 10.0, None, float("nan"), float("inf"))
    at_s = tuple(float(n) for n in range(6))
    document = told(sample.kill_scenario(100), [chart(Series("p99", "ms", at_s, values))])

    expected = [0.001235, 98770, 10, None, None, None]
    assert expected == document["charts"][0]["series"][0]["values"]


def test_series_share_their_axes() -> None:
    """The instants of several series are told once; each series says which are its own."""
    first, second = (0.0, 0.5), (0.0, 1.0)
    series = [Series("a", "", at_s, (1.0, 2.0)) for at_s in (first, second, first)]
    document = told(sample.kill_scenario(100), [chart(*series)])

    assert [list(first), list(second)] == document["axes"]
    assert [each["axis"] for each in document["charts"][0]["series"]] == [0, 1, 0]


def test_states_of_replicas_follow_their_lives() -> None:
    """Each replica has its states with their beginnings, and none once another took its place."""
    scenario = sample.kill_scenario(2000, began_s=100.0)
    document = told(scenario)
    states = {each["name"]: each for each in document["states"]}
    kill_s = sample.KILL_S

    assert states["replica-2"]["words"] == ["starting", "ready", "down", None]
    assert pytest.approx([-11.0, -7.0, kill_s, kill_s + 1.1]) == states["replica-2"]["at_s"]
    assert states["replica-4"]["words"] == ["starting", "ready"]
    assert pytest.approx([kill_s + 1.1, kill_s + 6.2]) == states["replica-4"]["at_s"]


def test_windows_are_told_from_the_beginning_of_the_axis() -> None:
    """What the charts shade is there with its name and its ends."""
    windows = told(sample.kill_scenario(2000, began_s=100.0))["windows"]
    ends = [(each["name"], each["from_s"], each["to_s"]) for each in windows]

    assert ends[0] == ("kill replica-2", 15.0, 21.2)
    assert ends[1] == ("recovering", 21.2, 23.42)


def test_hostile_names_stay_in_the_data() -> None:
    """No text leaves the element that holds the data, and each arrives as it was."""
    scenario = hostile().scenarios[0]
    written = payload(scenario, charts(scenario))

    assert "<" not in written
    assert HOSTILE in [each["name"] for each in json.loads(written)["windows"]]
    assert HOSTILE in [each["name"] for each in json.loads(written)["states"]]


def test_broken_characters_do_not_break_the_page() -> None:
    """A name with half of a character in it can be written, as anything on a page must be."""
    scenario = sample.kill_scenario(100)
    windows = tuple(replace(each, name="\udcff") for each in scenario.history.windows)
    changed = replace(scenario, history=replace(scenario.history, windows=windows))

    assert payload(changed, charts(changed)).encode()
    assert told(changed)["windows"][0]["name"] == "\udcff"


def test_size_follows_the_steps_and_not_the_requests() -> None:
    """Ten times the requests cost hardly more."""
    few, many = (sample.kill_scenario(count) for count in (3_000, 30_000))
    small, large = (len(payload(each, charts(each))) for each in (few, many))

    assert large < 1.5 * small
    assert large < 12_000
