"""One chart, one file. CHARTS is the order in which a scenario's section shows them."""

from collections.abc import Callable

from harness.run import Scenario
from reports.charts.chart import Chart
from reports.charts.goodput import goodput
from reports.charts.latency import latency
from reports.charts.replicas import replicas

CHARTS: tuple[Callable[[Scenario], Chart], ...] = (latency, goodput, replicas)
