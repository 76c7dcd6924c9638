"""What the charts of one scenario are drawn from, each worked out once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.contract import Limits
from harness.history import History, Value
from harness.run import Scenario
from reports.charts.frame import Frame, frame
from reports.charts.places import places, replicas_in
from reports.measure import Figures, Outcomes, outcomes, per_time

STEPS = 120  # at most so many in a line, and under the cross-hair
ROWS = 24  # at most so many in a data table
_LEAST_S = 0.5
_LEAST_REQUESTS = 25  # mean of a step: with fewer, a line shows chance and not load


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run was held to, and what its replicas were given."""

    limits: Limits = field(default_factory=Limits)
    conditions: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """One scenario on its time axis."""

    scenario: Scenario
    terms: Terms
    axis: Frame
    outcomes: Outcomes
    steps: tuple[Figures, ...]  # as fine as a line is drawn
    rows: tuple[Figures, ...]  # as coarse as a table is read
    fleet: History  # of its events only those of the replicas that lived: a run has many others

    @property
    def history(self) -> History:
        """The history of the scenario."""
        return self.scenario.history

    def since_s(self, times_s: list[float]) -> tuple[float, ...]:
        """Instants as seconds since the axis began."""
        return tuple(round(time_s - self.axis.began_s, 3) for time_s in times_s)


def scene(scenario: Scenario, terms: Terms | None = None) -> Scene:
    """The scene of a scenario."""
    axis = frame(scenario)
    known = outcomes(scenario.history)
    span_s, total = axis.ended_s - axis.began_s, len(known.intended_s)
    least_s = max(_LEAST_S, span_s * _LEAST_REQUESTS / total) if total else _LEAST_S
    return Scene(
        scenario,
        terms or Terms(),
        axis,
        known,
        per_time(known, axis.edges_s(STEPS, least_s)),
        per_time(known, axis.edges_s(ROWS, 1.0)),
        _fleet(scenario.history),
    )


def _fleet(history: History) -> History:
    events = tuple(each for each in history.events if each.kind.startswith("replica."))
    brief = replace(history, events=events)
    alive = {life.name for life in replicas_in(places(brief))}
    return replace(history, events=tuple(each for each in events if each.subject in alive))
