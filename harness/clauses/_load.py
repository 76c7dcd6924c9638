"""Offered load: at which factor of the measured capacity, and what came of it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.clauses._faults import disturbing
from harness.contract import Limits
from harness.history import Event, History, Window, latency_s
from harness.tables import WRONG, Table

_AS_OFFERED = 0.9  # a Poisson schedule of a thousand requests stays within 10 % of its rate
_ROUNDING_S = 0.1  # windows end when the harness looks, not when they should


@dataclass(frozen=True, slots=True)
class Offered:
    """A window in which load was offered at a factor of the capacity."""

    factor: float
    window: Window

    @property
    def lasted_s(self) -> float:
        """Seconds from its begin to its end."""
        return self.window.ended_s - self.window.began_s

    def is_at(self, factor: float) -> bool:
        """Whether this was the factor."""
        return math.isclose(self.factor, factor, rel_tol=1e-6)


def offered(history: History) -> list[Offered]:
    """The windows of offered load, in order of time; the name of one is its factor and an x."""
    windows = sorted(history.windows_of("offered"), key=lambda window: window.began_s)
    return [Offered(float(window.name[:-1]), window) for window in windows]


def good(requests: Table, limits: Limits) -> NDArray[np.bool_]:
    """Which requests count as goodput: answered OK, not wrongly, and within the deadline."""
    answered = (requests["status"] == 0) & (requests["correct"] != WRONG)
    result: NDArray[np.bool_] = answered & (latency_s(requests) <= limits.call_deadline_s)
    return result


def goodput_rps(history: History, window: Window, limits: Limits) -> float:
    """Good answers per second that came within the window, whenever they were asked for."""
    done_s = history.requests["done_s"]
    inside = (done_s >= window.began_s) & (done_s <= window.ended_s)
    served = int(np.count_nonzero(inside & good(history.requests, limits)))
    return served / (window.ended_s - window.began_s)


def rate_rps(history: History, window: Window) -> float:
    """Requests per second that were meant to be sent within the window."""
    return len(history.requests_in(window)) / (window.ended_s - window.began_s)


def share_good(history: History, window: Window, limits: Limits) -> float:
    """Share of the window's requests that were goodput, 0 to 1; 0 where there were none."""
    requests = history.requests_in(window)
    return float(np.mean(good(requests, limits))) if len(requests) else 0.0


def p99_ms(requests: Table) -> float:
    """The 99th percentile, in ms, of the latency from the intended send time."""
    return float(np.percentile(latency_s(requests), 99)) * 1000


def answered(requests: Table) -> Table:
    """The requests that were answered OK."""
    result: Table = requests[requests["status"] == 0]
    return result


def capacity_rps(history: History, factor: float, before_s: float) -> float | None:
    """The capacity that was last measured before an instant, or None.

    Of loads below it what was sustained, of others what was reached: see harness/capacity.py.
    """
    measured: list[Event] = [
        e for e in history.of_kind("capacity.measured") if e.time_s <= before_s
    ]
    if not measured:
        return None
    found = measured[-1].details
    rps = found.get("reached_rps") if factor >= 1.0 else None
    return float(rps or found["rps"] or 0.0)


def overloads(history: History, factor: float, limits: Limits) -> tuple[list[Offered], str]:
    """Windows at this factor that were truly above capacity; and why another one does not count."""
    found, reason = [], f"load was never offered at {factor:g} times the capacity"
    for each in offered(history):
        if each.is_at(factor):
            lacking = not_as_named(history, each) or _not_above(history, each, limits)
            if lacking is None:
                found.append(each)
            reason = lacking or reason
    return found, reason


def not_as_named(history: History, each: Offered) -> str | None:
    """Why a window is no load at its factor, undisturbed, or None."""
    capacity = capacity_rps(history, each.factor, each.window.began_s)
    if not capacity:
        return "no capacity was measured before load was offered"
    disturbance = disturbing(history, each.window)
    if disturbance:
        return f"{disturbance} was in force while {each.window.name} was offered"
    rate, meant = rate_rps(history, each.window), each.factor * capacity
    if not _AS_OFFERED * meant <= rate <= meant / _AS_OFFERED:
        return (
            f"{each.window.name} of {capacity:.0f} rps is {meant:.0f} rps, but {rate:.0f} were "
            "offered"
        )
    return None


def base(history: History, factor: float, before_s: float) -> tuple[Offered | None, str]:
    """The last undisturbed window at a factor that ended before an instant, and why there is none.

    What an overload is compared with comes before it: what follows may suffer from it.
    """
    reason = f"load was not offered at {factor:g} times the capacity before"
    chosen = None
    for each in offered(history):
        if each.is_at(factor) and each.window.ended_s <= before_s + _ROUNDING_S:
            lacking = not_as_named(history, each)
            chosen = chosen if lacking else each
            reason = lacking or reason
    return chosen, reason


def not_sustained(history: History, began_s: float, ended_s: float, limits: Limits) -> str | None:
    """Why load below the capacity was too much before anything disturbed it, or None.

    The capacity is measured once, and a machine may give less a minute later: then what follows
    shows that, and not what an overload or a stall left behind.
    """
    attempts = history.attempts
    inside = (attempts["sent_s"] >= began_s) & (attempts["sent_s"] < ended_s)
    first = attempts[inside & (attempts["number"] == 1)]
    failed = float(np.mean(first["status"] != 0)) if len(first) else 0.0
    if failed <= 1.0 - limits.sustained_share:
        return None
    return (
        f"before it {failed:.1%} of the first attempts failed: less was sustained by then than "
        "when the capacity was measured"
    )


def steady_before(history: History, time_s: float) -> Table:
    """Requests answered OK before an instant, in the steady windows where there are any."""
    requests = history.requests
    before = requests["done_s"] < time_s
    steady = np.zeros(len(requests), dtype=bool)
    for window in history.windows_of("steady"):
        steady |= (requests["intended_s"] >= window.began_s) & (
            requests["intended_s"] <= window.ended_s
        )
    return answered(requests[before & (steady if np.any(before & steady) else True)])


def _not_above(history: History, each: Offered, limits: Limits) -> str | None:
    """Why a window does not show what the service does above its capacity, or None."""
    if each.lasted_s < limits.overload_s - _ROUNDING_S:
        return (
            f"{each.window.name} was offered for {each.lasted_s:.1f} s, {limits.overload_s:g} s "
            "are needed to fill a queue"
        )
    unserved = 1.0 - share_good(history, each.window, limits)
    if unserved < limits.overload_share:
        return (
            f"only {unserved:.1%} of the requests at {each.window.name} were not answered in "
            "time, so that the load was not above the capacity"
        )
    return None
