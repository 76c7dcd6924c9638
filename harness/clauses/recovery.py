"""Recovery: that an overload or a stall leaves nothing behind once it is over."""

from dataclasses import dataclass

import numpy as np

from harness.clauses._faults import healing_s, over_s
from harness.clauses._load import (
    Offered,
    good,
    not_as_named,
    not_sustained,
    offered,
    overloads,
)
from harness.clauses._recovery import deaths, settled_s
from harness.clauses._wording import at, cite, count, few, gravest, missing
from harness.contract import Finding, Limits, clause
from harness.history import FaultRecord, History, Window

_STORM, _BELOW, _FULL = 3.0, 0.8, 1.0
_GAP_S = 1.0


@clause(
    "O4", "The service recovers from three times its capacity, and nothing dies", needs_load=True
)
def recovers_from_overload(history: History, limits: Limits) -> Finding:
    """From the end of 3x until nearly every request is OK for good, under 0.8x."""
    promised = limits.recovery_s
    storms, lacking = overloads(history, _STORM, limits)
    findings = []
    for storm in storms:
        after = _load_after(history, storm)
        reason = (
            not_as_named(history, after) if after else "0.8x did not follow on 3x within a second"
        )
        if after is None or reason:
            lacking = reason or lacking
            continue
        finding = _recovery(history, storm, after, limits)
        doubt = _doubt(history, storm, limits)
        if finding.held is False and finding.unit == "s" and doubt:
            finding = missing(promised, "s", f"{finding.sentence}; {doubt}", finding.evidence)
        findings.append(finding)
    return gravest(findings) if findings else missing(promised, "s", lacking)


def _doubt(history: History, storm: Offered, limits: Limits) -> str | None:
    """Why 0.8x was too much by itself, by the window of it that led to the overload, or None."""
    for each in offered(history):
        rest_s = storm.window.began_s - each.window.ended_s
        if -_GAP_S <= rest_s <= _GAP_S and each.is_at(_BELOW):
            return not_sustained(history, each.window.began_s, each.window.ended_s, limits)
    return None


def _load_after(history: History, storm: Offered) -> Offered | None:
    """The window of load below capacity that follows without a rest, which would help."""
    for each in offered(history):
        rest_s = each.window.began_s - storm.window.ended_s
        if -_GAP_S <= rest_s <= _GAP_S and each.is_at(_BELOW):
            return each
    return None


def _recovery(history: History, storm: Offered, after: Offered, limits: Limits) -> Finding:
    ended_s = storm.window.ended_s
    dead = deaths(history, storm.window.began_s, after.window.ended_s)
    if dead:
        lines = few(
            f"{life.name} died at {at(history, life.died_s or 0.0)} with exit code {life.exit_code}"
            for life in dead
        )
        names = ", ".join(life.name for life in dead)
        sentence = f"{names} died in the overload, or after it, unbidden"
        return Finding(False, 0, len(dead), "deaths", sentence, lines)
    requests = history.requests_in(after.window)
    well = requests["status"] == 0
    needed = round(1.0 / (1.0 - limits.recovered_share))
    settled = settled_s(requests["intended_s"], well, limits.recovered_share, needed)
    late = requests[~well & (requests["intended_s"] > ended_s + limits.recovery_s)]
    before = history.requests_in(storm.window)
    again = int(np.count_nonzero(before["attempts"] > 1))
    told = (
        f"after {storm.lasted_s:.1f} s at 3x, with {count(again, 'request')} of {len(before):,} "
        f"tried again"
    )
    watched_s = after.window.ended_s - ended_s
    took_s = watched_s if settled is None else max(0.0, settled - ended_s)
    if settled is None and (watched_s <= limits.recovery_s or len(requests) < needed):
        reason = (
            f"{told}, 0.8x was watched for {watched_s:.1f} s and {count(len(requests), 'request')}"
            f", and not {limits.recovered_share:.1%} of {needed:,} were OK at the end of it"
        )
        return missing(limits.recovery_s, "s", reason)
    share = f"{limits.recovered_share:.1%}"
    back = f"{took_s:.2f} s of 0.8x" if settled is not None else f"never in {took_s:.2f} s of 0.8x"
    sentence = f"{told}, it took until {share} were OK for good: {back}"
    held = settled is not None and took_s <= limits.recovery_s
    cited = cite(history, late)
    return Finding(held, limits.recovery_s, round(took_s, 3), "s", sentence, cited)


@clause(
    "M4",
    "A stall that is over leaves no overload behind, though calls were retried",
    needs_load=True,
)
def recovers_from_stall(history: History, limits: Limits) -> Finding:
    """Goodput by the second under a load that is kept up after a stall below capacity."""
    promised = limits.recovery_s
    lacking = "no fault was healed while load just below capacity was offered"
    stalls: list[_Stall] = []
    for fault in history.faults:
        for each in offered(history):
            if not _BELOW <= each.factor < _FULL or not _inside(fault, each.window):
                continue
            stall = _Stall.of(history, fault, each.window, limits)
            reason = stall.lacking(history, limits)
            if not reason and stall.back_after_s > promised:
                doubt = not_sustained(history, each.window.began_s, fault.injected_s, limits)
                reason = doubt and f"{stall.told()}; {doubt}"
            if reason:
                lacking = reason
            else:
                stalls.append(stall)
    if not stalls:
        return missing(promised, "s", lacking)
    worst = max(stalls, key=lambda stall: stall.back_after_s)
    held = worst.back_after_s <= promised
    evidence = few(stall.told() for stall in stalls)
    return Finding(held, promised, worst.back_after_s, "s", worst.told(), evidence)


def _inside(fault: FaultRecord, window: Window) -> bool:
    return window.covers(fault.injected_s) and window.covers(over_s(fault))


@dataclass(frozen=True, slots=True)
class _Stall:
    """A fault under load, and what became of the load after it."""

    fault: FaultRecord
    share_during: float  # good answers that came while it was in force, over requests offered then
    back_after_s: (
        float  # from when it began to heal to the first second from which on goodput was back
    )
    watched_s: float  # whole seconds of the same load after that
    retries: int

    @classmethod
    def of(cls, history: History, fault: FaultRecord, window: Window, limits: Limits) -> "_Stall":
        # Proof that it is over comes later, and may wait for the very service that is judged.
        ended_s = min(healing_s(fault), over_s(fault))
        due_s, done_s = history.requests["intended_s"], history.requests["done_s"]
        fine = good(history.requests, limits)
        asked = np.count_nonzero((due_s >= fault.injected_s) & (due_s <= ended_s))
        came = np.count_nonzero(fine & (done_s >= fault.injected_s) & (done_s <= ended_s))
        seconds = int(window.ended_s - ended_s)
        after = (due_s >= ended_s) & (due_s < ended_s + seconds)
        second = (due_s[after] - ended_s).astype(np.intp)
        offers = np.bincount(second, minlength=seconds)
        served = np.bincount(second[fine[after]], minlength=seconds)
        # A second without load is none in which goodput was back.
        poor = np.flatnonzero((served < limits.goodput_share * offers) | (offers == 0))
        back = float(poor[-1] + 1) if len(poor) else 0.0
        sent_s = history.attempts["sent_s"]
        retried = (sent_s >= fault.injected_s) & (sent_s <= window.ended_s)
        again = int(np.count_nonzero(retried & (history.attempts["number"] > 1)))
        share = float(came / asked) if asked else 1.0
        return cls(fault, share, back, float(seconds), again)

    def lacking(self, history: History, limits: Limits) -> str | None:
        """What this stall does not show, or None."""
        what = f"{self.fault.name} of {', '.join(self.fault.targets)}"
        if self.share_during >= limits.goodput_share:
            return f"{what} stalled nothing: goodput was {self.share_during:.0%} of the load in it"
        if not self.retries:
            return f"nothing was tried again after {what} from {at(history, self.fault.injected_s)}"
        if self.back_after_s <= limits.recovery_s:
            stayed_s = self.watched_s - self.back_after_s
            if stayed_s < limits.stays_s:
                return (
                    f"the load was kept up for {self.watched_s:.0f} s after {what}, and goodput "
                    f"was back for the last {stayed_s:.0f} s of them; {limits.stays_s:g} s are "
                    "needed to say that it stays"
                )
        return None

    def told(self) -> str:
        """What was seen, in words."""
        what = f"{self.fault.name} of {', '.join(self.fault.targets)}"
        back = (
            f"was back for good {self.back_after_s:.0f} s after it"
            if self.back_after_s < self.watched_s
            else f"was not back {self.watched_s:.0f} s after it"
        )
        return (
            f"{what} cut goodput to {self.share_during:.0%} of the load, and calls were tried "
            f"again {count(self.retries, 'time')}; goodput {back}"
        )
