"""Which latencies the contract promises in a scenario, in milliseconds, and how they are drawn."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from harness.contract import Limits, Verdict
from harness.history import History
from harness.run import Scenario
from reports.charts.frame import Frame
from reports.words import milliseconds

_TWICE = "2x"  # the windows that O2 is about
_ROOM = 14  # px: what a label needs above its line


@dataclass(frozen=True, slots=True)
class Promise:
    """So much latency at the 99th percentile, and no more."""

    clause: str
    limit_s: float
    of_what: str
    spans: tuple[tuple[float, float], ...] = ()  # where it counts; empty: everywhere

    @property
    def short(self) -> str:
        """For a label inside the chart."""
        return f"{self.clause}: p99 ≤ {milliseconds(self.limit_s)}"

    @property
    def meaning(self) -> str:
        """For the chart's key."""
        return f"{self.clause} promises 99 % {self.of_what} within {milliseconds(self.limit_s)}"


def latency_promises(scenario: Scenario, limits: Limits) -> tuple[Promise, ...]:
    """The promises of the clauses that were judged in this scenario."""
    found = (
        _RULES[each.id](each, scenario.history, limits)
        for each in scenario.verdicts
        if each.id in _RULES and each.scope == "scenario"
    )
    return tuple(each for each in found if each is not None)


def _answers(verdict: Verdict, history: History, limits: Limits) -> Promise | None:  # noqa: ARG001
    return Promise(verdict.id, limits.latency_p99_ms / 1000, "of the answers")


def _admitted(verdict: Verdict, history: History, limits: Limits) -> Promise | None:  # noqa: ARG001
    """What it may take at twice the capacity follows from what it took below: see the verdict."""
    spans = tuple(
        (each.began_s, each.ended_s)
        for each in history.windows_of("offered")
        if each.name == _TWICE
    )
    if not spans or verdict.unit != "ms" or isinstance(verdict.promised, str):
        return None
    return Promise(verdict.id, verdict.promised / 1000, "of what is admitted at 2x", spans)


_RULES: Mapping[str, Callable[[Verdict, History, Limits], Promise | None]] = {
    "L1": _answers,
    "O2": _admitted,
}


def still_lines(lines: Iterable[tuple[Promise, float]], top: int) -> list[Markup]:
    """Promises that count everywhere: their label stays at the right when a script zooms."""
    return [
        _line("0%", "100%", y) + _label("100%", y, top, each.short)
        for each, y in lines
        if not each.spans
    ]


def moving_lines(lines: Iterable[tuple[Promise, float]], top: int, of: Frame) -> list[Markup]:
    """Promises that count in some windows, drawn there."""
    result = []
    for each, y in lines:
        places = [(of.place(began_s), of.place(ended_s)) for began_s, ended_s in each.spans]
        result += [_line(f"{left}%", f"{right}%", y) for left, right in places]
        result += [_label(f"{right}%", y, top, each.short) for _, right in places[-1:]]
    return result


def _line(left: str, right: str, y: float) -> Markup:
    return Markup('<line class="promised" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        left, right, y, y
    )


def _label(right: str, y: float, top: int, text: str) -> Markup:
    """Above its line, or below it where the names of the windows begin."""
    at = y - 4 if y - _ROOM >= top else y + 12
    return Markup(
        '<text class="promised" x="{}" dx="-4" y="{}" text-anchor="end">{}</text>'
    ).format(right, round(at, 1), text)
