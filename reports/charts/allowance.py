"""What the contract allows to fail in a scenario, by the clauses that it was held to.

Each rule repeats what its clause counts: the same requests, in the same stretches of time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from harness.contract import Limits, Outcome
from harness.fleet import lives
from harness.history import FaultRecord, History, Window
from harness.serving import began_s, sent_to
from reports.charts.scene import Scene
from reports.measure import Mask, Outcomes, Times
from reports.words import plural, quantity

_CACHE = {"cache", "cache-path"}
_FREEZING = ("pause", "freeze", "suspend", "isolate", "partition", "black hole")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time with a budget of its own."""

    began_s: float
    ended_s: float
    requests: int
    allowed: float  # requests that may fail
    lost_s: Times  # when those that did were due, ascending

    def left(self, lost: int) -> float:
        """The share of the budget that so many failures leave; below 0 it is overdrawn."""
        if lost == 0:
            return 1.0
        return 1 - lost / self.allowed if self.allowed else float("-inf")


@dataclass(frozen=True, slots=True)
class Allowance:
    """The budget of one clause. It begins anew in each stretch."""

    clause: str
    told: str
    stretches: tuple[Stretch, ...]

    @property
    def worst(self) -> Stretch:
        """The stretch with the least left at its end; where several have, that of most failures."""
        return min(
            self.stretches, key=lambda each: (each.left(len(each.lost_s)), -len(each.lost_s))
        )


def allowance(of: Scene) -> Allowance | None:
    """The budget to show: that of a broken clause first, and else by the order of the rules."""
    judged = {each.id: each.verdict for each in of.scenario.verdicts if each.scope == "scenario"}
    candidates = [clause for clause in _RULES if clause in judged]
    for clause in sorted(candidates, key=lambda each: judged[each] is not Outcome.BROKEN):
        told, stretches = _RULES[clause](of.fleet, of.outcomes, of.terms.limits)
        if stretches:
            return Allowance(clause, told, tuple(stretches))
    return None


def _answered(history: History, known: Outcomes, limits: Limits) -> "_Found":
    """L1: nearly all requests of each window below capacity have to be answered."""
    windows = [each for kind in ("steady", "observe") for each in history.windows_of(kind)]
    windows += [each for each in history.windows_of("offered") if _factor(each) < 1]
    share, stretches = 1 - limits.answered_share, []
    for window in sorted(windows, key=lambda each: each.began_s):
        counted = _due_in(known, window)
        # Fewer are too few to judge, and in an outage nothing can be answered.
        if window.name != "outage" and int(counted.sum()) >= limits.answers_needed:
            stretches.append(_of_share(known, window, counted, share))
    return f"{quantity(share, 'share')} of the requests of each window may fail", stretches


def _burst(history: History, known: Outcomes, limits: Limits) -> "_Found":
    """O5: a burst is a step up in load by so much, within a moment."""
    offered = sorted(history.windows_of("offered"), key=lambda each: each.began_s)
    stretches = []
    for before, window in pairwise(offered):
        rose = _factor(window) >= limits.burst_factor * _factor(before) * (1 - 1e-6)
        if rose and window.began_s - before.ended_s <= limits.burst_within_s:
            counted = _due_in(known, window)
            stretches.append(_of_share(known, window, counted, limits.burst_loss_share))
    share = quantity(limits.burst_loss_share, "share")
    return f"{share} of the requests of a burst may fail", stretches


def _frozen(history: History, known: Outcomes, limits: Limits) -> "_Found":
    """N1: what a hanging replica had in flight and a little more, then hardly any."""
    fleet, stretches = lives(history.events), []
    for fault in history.faults:
        victims = [fleet[name] for name in fault.targets if name in fleet]
        if not fault.name.startswith(_FREEZING) or not victims:
            continue
        settled_s = fault.injected_s + limits.frozen_settling_s
        over_s = history.ended_s if fault.healed_s is None else fault.healed_s
        under_way = (began_s(history.access) <= fault.injected_s) & (
            history.access["done_s"] >= fault.injected_s
        )
        flying = sum(int(sent_to(history.access, fleet, v, under_way).sum()) for v in victims)
        first = (_done_s(known) >= fault.injected_s) & (known.intended_s < settled_s)
        span_s = fault.injected_s, min(settled_s, history.ended_s)
        allowed = flying + limits.frozen_first_losses
        stretches.append(_of_count(known, span_s, first, known.failed, allowed))
        rest = Window("", "", settled_s, over_s)
        if (counted := _due_in(known, rest)).any():
            stretches.append(_of_share(known, rest, counted, limits.frozen_loss_share))
    share = quantity(limits.frozen_loss_share, "share")
    told = (
        f"what was in flight at the replica that hangs and {limits.frozen_first_losses} more may "
        f"fail, and {share} of the requests from {limits.frozen_settling_s:g} s on"
    )
    return told, stretches


def _killed(history: History, known: Outcomes, limits: Limits) -> "_Found":
    """T5: from the first kill to the end."""
    fleet = lives(history.events)
    kills = [f for f in history.faults if f.name.startswith("kill") and set(f.targets) & set(fleet)]
    told = f"{_may_fail(limits.lost_after_retry)} from the first kill on"
    if not kills:
        return told, []
    since_s = min(fault.injected_s for fault in kills)
    span_s, counted = (since_s, history.ended_s), _done_s(known) >= since_s
    return told, [_of_count(known, span_s, counted, known.failed, limits.lost_after_retry)]


def _cache_lost(history: History, known: Outcomes, limits: Limits) -> "_Found":  # noqa: ARG001
    """D4: from each loss of the cache to the fault that follows it."""
    done_s, stretches = _done_s(known), []
    for fault in (each for each in history.faults if _CACHE & set(each.targets)):
        next_s = _next_s(fault, history)
        span_s = fault.injected_s, min(next_s, history.ended_s)
        counted = (done_s >= fault.injected_s) & (done_s < next_s)
        stretches.append(_of_count(known, span_s, counted, known.failed | known.wrong, 0))
    return f"{_may_fail(0)} once the cache is lost", stretches


_Found: TypeAlias = tuple[str, list[Stretch]]
_RULES: Mapping[str, Callable[[History, Outcomes, Limits], _Found]] = {
    "L1": _answered,
    "O5": _burst,
    "N1": _frozen,
    "T5": _killed,
    "D4": _cache_lost,
}
"""By clause. The first that was judged and has any stretch is shown."""


def _of_share(known: Outcomes, window: Window, counted: Mask, share: float) -> Stretch:
    span_s = window.began_s, window.ended_s
    return _of_count(known, span_s, counted, known.failed, share * int(counted.sum()))


def _of_count(
    known: Outcomes, span_s: tuple[float, float], counted: Mask, lost: Mask, allowed: float
) -> Stretch:
    """What was under way when the stretch began counts from its beginning."""
    lost_s = np.clip(known.intended_s[counted & lost], *span_s)
    return Stretch(*span_s, int(counted.sum()), allowed, lost_s)


def _due_in(known: Outcomes, window: Window) -> Mask:
    result: Mask = (known.intended_s >= window.began_s) & (known.intended_s <= window.ended_s)
    return result


def _done_s(known: Outcomes) -> Times:
    result: Times = known.intended_s + known.latency_s
    return result


def _factor(window: Window) -> float:
    """The load of an offered window in multiples of the capacity."""
    return float(window.name.removesuffix("x"))


def _next_s(fault: FaultRecord, history: History) -> float:
    over_s = float("inf") if fault.restored_s is None else fault.restored_s
    later = (each.injected_s for each in history.faults if each.injected_s > over_s)
    return min(later, default=float("inf"))


def _may_fail(count: int) -> str:
    return f"{plural(count, 'request')} may fail" if count else "no request may fail"
