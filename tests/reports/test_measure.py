"""Figures before, during and after the faults."""

from dataclasses import replace

import numpy as np

from harness.history import History, latency_s
from harness.run import Scenario
from reports.measure import outcomes, per_time, stretches
from tests.reports import sample


def test_stretches_divide_the_requests() -> None:
    """Every request counts in exactly one stretch, failures apart from the percentiles."""
    scenario = sample.kill_scenario(4000)
    requests = scenario.history.requests
    figures = stretches(scenario)

    assert [each.name for each in figures] == ["before", "during", "recovering", "after"]
    assert sum(each.requests for each in figures) == 4000
    assert int((requests["status"] != 0).sum()) == sum(each.failed for each in figures)
    before = requests[requests["intended_s"] < 100.0 + sample.KILL_S]
    assert np.percentile(latency_s(before), 99) == figures[0].p99_s


def test_without_a_fault_there_is_one_stretch() -> None:
    """A scenario that disturbs nothing is one piece."""
    scenario = sample.kill_scenario(100)
    calm = replace(scenario, history=replace(scenario.history, windows=()))

    assert [each.name for each in stretches(calm)] == ["whole scenario"]


def test_stretch_without_good_answers_has_no_percentile() -> None:
    """No number is made up where nothing was answered."""
    figures = stretches(Scenario("none", "", "", "", History("none", 0.0, 1.0)))

    assert (figures[0].requests, figures[0].p50_s, figures[0].p99_s) == (0, None, None)


def test_rows_per_time_count_every_request_once() -> None:
    """A request on an edge belongs to the later row, one on the last edge to the last."""
    rows = sample.requests(3, 1.0, 1)
    rows["intended_s"] = [0.0, 1.0, 2.0]
    history = History("edges", 0.0, 2.0, requests=rows)

    assert [each.requests for each in per_time(outcomes(history), np.array([0.0, 1.0, 2.0]))] == [
        1,
        2,
    ]
