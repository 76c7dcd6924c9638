"""Overload: what is answered, how soon, and how the rest is refused at twice the capacity."""

from collections import defaultdict

import numpy as np

from harness.clauses._load import (
    Offered,
    answered,
    base,
    capacity_rps,
    goodput_rps,
    overloads,
    p99_ms,
    share_good,
)
from harness.clauses._probes import said, under_load
from harness.clauses._wording import at, cite, cite_attempts, count, few, missing, status_name
from harness.contract import Finding, Limits, clause
from harness.fleet import lives
from harness.history import Event, History, Window
from harness.tables import Table

_TWICE, _ONCE, _BELOW = 2.0, 1.0, 0.8
_REFUSALS = (8, 14)  # RESOURCE_EXHAUSTED, UNAVAILABLE


@clause("O1", "Goodput holds when twice the capacity is offered", needs_load=True)
def goodput_holds(history: History, limits: Limits) -> Finding:
    """Good answers per second at 2x, over those at 1x before: the worst window counts."""
    promised, unit = limits.goodput_share, "of the goodput at 1x"
    trials, lacking = overloads(history, _TWICE, limits)
    ratios: list[tuple[float, str]] = []
    doubt = None
    for each in trials:
        then = goodput_rps(history, each.window, limits)
        doubt = _measured_too_low(history, each, then, limits) or doubt
        once, reason = base(history, _ONCE, each.window.began_s)
        if once is None:
            lacking = reason
            continue
        before = goodput_rps(history, once.window, limits)
        capacity = capacity_rps(history, once.factor, once.window.began_s) or 0.0
        ratio = then / before if before else 0.0
        if ratio >= promised and before < limits.capacity_agreement * capacity:
            lacking = (
                f"goodput at 1x was {before:.0f} per second, of a measured capacity of "
                f"{capacity:.0f}: no base to hold 2x against"
            )
            continue
        told = (
            f"{then:.1f} good answers per second over {each.lasted_s:.1f} s at 2x, "
            f"{before:.1f} at 1x"
        )
        ratios.append((ratio, f"{told}, from {at(history, each.window.began_s)}"))
    if not ratios:
        return missing(promised, unit, lacking)
    worst, told = min(ratios)
    evidence = few(line for _, line in sorted(ratios))
    if worst >= promised and doubt:
        return missing(promised, unit, doubt, evidence)
    return Finding(worst >= promised, promised, round(worst, 4), unit, told, evidence, ">=")


def _measured_too_low(
    history: History, each: Offered, goodput: float, limits: Limits
) -> str | None:
    """Why twice what was measured was not twice the capacity, by the goodput at 2x; or None."""
    capacity = capacity_rps(history, each.factor, each.window.began_s) or 0.0
    if goodput * limits.capacity_agreement <= capacity:
        return None
    return (
        f"goodput at 2x was {goodput:.0f} per second, of a measured capacity of {capacity:.0f}: it "
        "was measured too low, so that this was not twice the capacity"
    )


@clause(
    "O2", "The queue is bounded: what is admitted at twice the capacity is fast", needs_load=True
)
def admitted_is_fast(history: History, limits: Limits) -> Finding:
    """The p99 of OK answers at 2x against the p99 at 0.8x before, and against the deadline.

    Answers to first attempts: how long a caller waits to try again is not the queue's doing.
    """
    deadline_ms = limits.call_deadline_s * 1000
    trials, lacking = overloads(history, _TWICE, limits)
    judged: list[tuple[float, float, float, str]] = []
    for each in trials:
        below, reason = base(history, _BELOW, each.window.began_s)
        if below is None:
            lacking = reason
            continue
        usual = _admitted(history.requests_in(below.window))
        admitted = _admitted(history.requests_in(each.window))
        if min(len(usual), len(admitted)) < limits.answers_needed:
            lacking = (
                f"{count(len(usual), 'OK answer')} at 0.8x and {len(admitted):,} at 2x, "
                f"{limits.answers_needed} of each are needed"
            )
            continue
        p99, usual_p99 = p99_ms(admitted), p99_ms(usual)
        bound = min(limits.admitted_p99_ratio * usual_p99, deadline_ms)
        kept_up = share_good(history, below.window, limits)
        if p99 <= bound and kept_up < limits.goodput_share:
            lacking = f"at 0.8x only {kept_up:.1%} were answered in time: no base to compare with"
            continue
        told = (
            f"99 % of {count(len(admitted), 'OK answer')} at 2x took at most {p99:.1f} ms, at 0.8x "
            f"{usual_p99:.1f} ms; at most {_in_flight(history, each.window):,} were in flight"
        )
        judged.append((p99 / bound, p99, bound, told))
    if not judged:
        return missing(deadline_ms, "ms", lacking)
    worst, p99, bound, told = max(judged)
    evidence = few(line for *_, line in sorted(judged, reverse=True))
    return Finding(worst <= 1.0, round(bound, 3), round(p99, 3), "ms", told, evidence)


def _admitted(requests: Table) -> Table:
    """The requests whose first attempt was answered OK."""
    result: Table = answered(requests[requests["attempts"] == 1])
    return result


@clause(
    "O3",
    "What cannot be admitted is refused at once, and with a code that says so",
    needs_load=True,
)
def refusal_is_quick(history: History, limits: Limits) -> Finding:
    """Failed attempts at 2x: their codes, and the p99 from when the attempt was sent."""
    promised = limits.refusal_p99_ms
    trials, lacking = overloads(history, _TWICE, limits)
    if not trials:
        return missing(promised, "ms", lacking)
    refused = np.concatenate([_failed_attempts(history, each) for each in trials])
    failed = np.concatenate([history.requests_in(each.window) for each in trials])
    failed = failed[failed["status"] != 0]
    untyped = failed[~np.isin(failed["status"], _REFUSALS)]
    odd = refused[~np.isin(refused["status"], _REFUSALS)]
    if len(untyped) or len(odd):
        codes = ", ".join(
            sorted({status_name(code) for rows in (untyped, odd) for code in set(rows["status"])})
        )
        sentence = (
            f"at 2x {count(len(untyped), 'request')} of {len(failed):,} that failed, and "
            f"{count(len(odd), 'attempt')} of {len(refused):,}, ended {codes}"
        )
        wanted = " or ".join(status_name(code) for code in _REFUSALS)
        evidence = cite(history, untyped) or cite_attempts(history, odd)
        return Finding(False, wanted, codes, "status", sentence, evidence, "==")
    if len(refused) < limits.answers_needed:
        return missing(
            promised,
            "ms",
            f"{count(len(refused), 'refusal')} seen at 2x, {limits.answers_needed} needed",
        )
    took_ms = (refused["done_s"] - refused["sent_s"]) * 1000
    p99 = float(np.percentile(took_ms, 99))
    sentence = (
        f"99 % of {count(len(refused), 'refusal')} at 2x came within {p99:.1f} ms, the slowest "
        f"within {float(took_ms.max()):.1f} ms"
    )
    late = cite_attempts(history, refused[took_ms > promised])
    return Finding(p99 <= promised, promised, round(p99, 3), "ms", sentence, late)


@clause("R5", "Probes are answered in time while twice the capacity is offered", needs_load=True)
def probes_are_answered(history: History, limits: Limits) -> Finding:
    """Every surface of every ready replica: p99 of the answers, and misses in a row."""
    promised = limits.probe_p99_s
    trials, lacking = overloads(history, _TWICE, limits)
    fleet = lives(history.events)
    probes = [probe for each in trials for probe in under_load(history, fleet, each.window)]
    if not trials or len(probes) < limits.answers_needed:
        asked = f"{count(len(probes), 'probe')} of ready replicas at 2x"
        return missing(
            promised, "s", f"{asked}, {limits.answers_needed} needed" if trials else lacking
        )
    missed = [probe for probe in probes if probe.details.get("answer") is None]
    streak = _longest_streak(probes)
    evidence = few(said(probe, history) for probe in missed)
    sentence = (
        f"{len(missed):,} of {count(len(probes), 'probe')} at 2x were not answered, at most "
        f"{streak} in a row"
    )
    if streak >= limits.probe_misses:
        allowed = limits.probe_misses - 1
        return Finding(False, allowed, streak, "misses in a row", sentence, evidence)
    took_s = np.array([_answered_after_s(probe) for probe in probes])
    p99 = float(np.percentile(took_s, 99, method="higher"))
    measured = round(p99, 4) if np.isfinite(p99) else "no answer"
    took = f"{p99 * 1000:.1f} ms" if np.isfinite(p99) else "no bound: more than 1 % had no answer"
    sentence += f"; 99 % took at most {took}"
    return Finding(p99 <= promised, promised, measured, "s", sentence, evidence)


def _failed_attempts(history: History, each: Offered) -> Table:
    attempts = history.attempts
    sent_s = attempts["sent_s"]
    inside = (sent_s >= each.window.began_s) & (sent_s <= each.window.ended_s)
    failed: Table = attempts[inside & (attempts["status"] != 0)]
    return failed


def _in_flight(history: History, window: Window) -> int:
    """Greatest number of requests under way at once within the window."""
    sent_s = np.sort(history.requests["sent_s"])
    done_s = np.sort(history.requests["done_s"])
    under_way = np.arange(1, len(sent_s) + 1) - np.searchsorted(done_s, sent_s)
    inside = (sent_s >= window.began_s) & (sent_s <= window.ended_s)
    return int(under_way[inside].max(initial=0))


def _longest_streak(probes: list[Event]) -> int:
    """Most misses in a row of any one surface of any one replica."""
    longest, running = 0, defaultdict[tuple[str, object], int](int)
    for probe in probes:
        asked = probe.subject, probe.details["surface"]
        running[asked] = running[asked] + 1 if probe.details.get("answer") is None else 0
        longest = max(longest, running[asked])
    return longest


def _answered_after_s(probe: Event) -> float:
    """Seconds until the answer came; infinity where none did, however soon that was known."""
    took_ms = probe.details.get("latency_ms")
    if probe.details.get("answer") is None or took_ms is None:
        return float("inf")
    return float(took_ms) / 1000
