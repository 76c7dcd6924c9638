"""Retries: that they stay a small share of the load, however much fails."""

from dataclasses import replace

import numpy as np

from harness.clauses._faults import over_s
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.history import History, Window
from harness.serving import began_s
from harness.tables import text

_UNAVAILABLE = 14
_EVERY = 0.99  # of the attempts in an outage end UNAVAILABLE; what is left lay on its edges


@clause("N4", "Retries keep to a budget while every replica answers UNAVAILABLE", needs_load=True)
def retries_are_budgeted(history: History, limits: Limits) -> Finding:
    """Attempts over calls as the balancer counts them, once an outage has lasted a moment."""
    promised, unit = limits.retry_ratio, "attempts a call"
    outages = [window for window in history.windows_of("observe") if window.name == "outage"]
    if not outages:
        return missing(promised, unit, "there was no outage")
    judged: list[tuple[float, str, tuple[str, ...]]] = []
    lacking = ""
    for window in outages:
        settled = replace(window, began_s=_nobody_s(history, window) + limits.retry_settling_s)
        ratio, told, evidence = _ratio(history, settled)
        reason = _unfit(history, settled, limits)
        if reason and ratio <= promised:
            lacking = reason
        else:
            judged.append((ratio, told, evidence))
    if not judged:
        return missing(promised, unit, lacking)
    worst, told, evidence = max(judged)
    return Finding(worst <= promised, promised, round(worst, 4), unit, told, evidence)


def _nobody_s(history: History, window: Window) -> float:
    """When the balancer had nobody left to send to; the window's beginning where it never had."""
    emptied = (
        event.time_s
        for event in history.of_kind("balancer.routes")
        if window.covers(event.time_s) and not event.details["replicas"]
    )
    return max(emptied, default=window.began_s)


def _ratio(history: History, window: Window) -> tuple[float, str, tuple[str, ...]]:
    """Attempts over distinct calls at the balancer, in words, and the calls tried most often."""
    began = began_s(history.access)
    ids: list[bytes] = history.access["id"][
        (began >= window.began_s) & (began <= window.ended_s)
    ].tolist()
    calls = len(set(ids))
    ratio = len(ids) / calls if calls else 0.0
    told = (
        f"{count(len(ids), 'attempt')} of {count(calls, 'call')} reached the balancer in "
        f"{window.ended_s - window.began_s:.1f} s of outage from {at(history, window.began_s)}: "
        f"{ratio:.3f} attempts a call"
    )
    attempts = history.attempts
    sent_s = attempts["sent_s"]
    again = attempts[(sent_s >= window.began_s) & (sent_s <= window.ended_s)]
    most = again[again["number"] > 1]
    order = np.lexsort((most["id"], -most["number"]))[:4]
    lines = (
        f"request {text(row['id'])}: attempt {int(row['number'])} sent at "
        f"{at(history, row['sent_s'])}"
        for row in most[order]
    )
    return ratio, told, few(lines)


def _unfit(history: History, window: Window, limits: Limits) -> str | None:
    """Why a small number of retries in this outage shows nothing, or None."""
    overlapping = (
        fault
        for fault in history.faults
        if fault.injected_s <= window.began_s and over_s(fault) >= window.ended_s
    )
    if not any(overlapping):
        return "no fault was in force throughout the outage"
    calls = len(history.requests_in(window))
    if calls < limits.answers_needed:
        return f"{count(calls, 'call')} in the outage, {limits.answers_needed} needed"
    sent_s = history.attempts["sent_s"]
    tried = history.attempts[(sent_s >= window.began_s) & (sent_s <= window.ended_s)]
    if not len(tried) or not len(history.access):
        return "the balancer's log or the attempts are missing"
    unavailable = float(np.mean(tried["status"] == _UNAVAILABLE))
    if unavailable < _EVERY:
        return f"only {unavailable:.1%} of the attempts in the outage ended UNAVAILABLE"
    if not np.any(tried["number"] > 1):
        return "nothing was tried again in the outage: no budget was needed"
    return None
