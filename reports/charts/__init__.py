"""One chart, one file. CHARTS is the order in which a scenario's section shows them."""

from collections.abc import Callable

from harness.run import Scenario
from reports.charts.budget import budget
from reports.charts.chart import Chart
from reports.charts.goodput import goodput
from reports.charts.latency import latency
from reports.charts.replicas import replicas
from reports.charts.resources import memory, processors
from reports.charts.scene import Scene, Terms, scene

CHARTS: tuple[Callable[[Scene], Chart | None], ...] = (
    latency,
    goodput,
    budget,
    replicas,
    processors,
    memory,
)
"""A chart is None where the scenario has nothing that it is about."""


def charts(scenario: Scenario, terms: Terms | None = None) -> tuple[Chart, ...]:
    """The charts of one scenario, for the limits and conditions of its run."""
    of = scene(scenario, terms)
    return tuple(chart for draw in CHARTS if (chart := draw(of)) is not None)
