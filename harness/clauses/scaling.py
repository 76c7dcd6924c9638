"""Scaling: that a burst which meets a cold start is served, and by new replicas as by warm ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.clauses._load import Offered, not_as_named, offered, p99_ms
from harness.clauses._wording import at, cite, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import History
from harness.serving import answered_by
from harness.tables import Table

_ROUNDING = 1e-6


@clause(
    "O5",
    "A burst is served, and the first calls of a new replica like those of a warm one",
    needs_load=True,
)
def burst_is_served(history: History, limits: Limits) -> Finding:
    """Loss in a burst that replicas were added to, and the first calls of each of those."""
    promised, unit = limits.newcomer_p99_ratio, "times the warm p99"
    bursts, lacking = _bursts(history, limits)
    fleet = lives(history.events)
    newcomers: list[_Newcomer] = []
    unjudged = []
    for burst in bursts:
        added = _added(history, burst, fleet)
        if not added:
            lacking = "no replica was added in the burst, so that it met no cold start"
            continue
        requests = history.requests_in(burst.window)
        lost = requests[requests["status"] != 0]
        share = len(lost) / len(requests) if len(requests) else 0.0
        if share > limits.burst_loss_share:
            sentence = f"{len(lost):,} of {count(len(requests), 'request')} of the burst failed"
            measured, cited = round(share, 5), cite(history, lost)
            return Finding(False, limits.burst_loss_share, measured, "lost", sentence, cited)
        for life in added:
            seen = _Newcomer.of(history, burst, life, fleet, limits)
            if not isinstance(seen, str):
                newcomers.append(seen)
            elif _had_time(burst, life, limits):
                unjudged.append(seen)
            else:
                lacking = seen
    ranked = sorted(newcomers, key=lambda each: (-each.ratio, each.name))
    evidence = few([each.told(history) for each in ranked] + unjudged)
    held = all(each.ratio <= promised for each in ranked)
    if held and (unjudged or not ranked):
        return missing(promised, unit, unjudged[0] if unjudged else lacking, evidence)
    worst = ranked[0]
    return Finding(held, promised, round(worst.ratio, 3), unit, worst.told(history), evidence)


def _bursts(history: History, limits: Limits) -> tuple[list[Offered], str]:
    """Windows whose load is a steep step up from the one before; and why there is none."""
    found = []
    reason = f"load never rose to {limits.burst_factor:g} times within {limits.burst_within_s:g} s"
    windows = offered(history)
    for before, each in pairwise(windows):
        rose = each.factor >= limits.burst_factor * before.factor * (1 - _ROUNDING)
        if rose and each.window.began_s - before.window.ended_s <= limits.burst_within_s:
            lacking = not_as_named(history, each)
            if lacking is None:
                found.append(each)
            reason = lacking or reason
    return found, reason


def _added(history: History, burst: Offered, fleet: Mapping[str, Life]) -> list[Life]:
    """The replicas that were ordered because the autoscaler wanted more, within the burst."""
    decided_s = [
        event.time_s
        for event in history.of_kind("autoscaler.decided")
        if burst.window.covers(event.time_s)
        and int(event.details["to"] or 0) > int(event.details["from"] or 0)
    ]
    if not decided_s:
        return []
    return [
        life
        for life in fleet.values()
        if life.predecessor is None and min(decided_s) <= life.ordered_s <= burst.window.ended_s
    ]


def _had_time(burst: Offered, life: Life, limits: Limits) -> bool:
    """Whether it ought to have served the burst: ready well before its end, or not ever ready."""
    return life.ready_s is None or burst.window.ended_s - life.ready_s >= limits.newcomer_watched_s


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """The first calls of a replica that was added, beside what warm ones did at that time."""

    name: str
    calls: int
    began_s: float
    p99_ms: float
    warm_calls: int
    warm_p99_ms: float

    @property
    def ratio(self) -> float:
        return self.p99_ms / self.warm_p99_ms

    @classmethod
    def of(
        cls,
        history: History,
        burst: Offered,
        life: Life,
        fleet: Mapping[str, Life],
        limits: Limits,
    ) -> "_Newcomer | str":
        """Or what there is too little of, in words."""
        if life.ready_s is None:
            return f"{life.name}, ordered at {at(history, life.ordered_s)}, never became ready"
        requests: Table = history.requests
        # A retry waits as its caller pleases, and so says nothing of who answered it.
        once = requests[(requests["status"] == 0) & (requests["attempts"] == 1)]
        who = answered_by(once["replica"], fleet)
        own = once[who == list(fleet).index(life.name)]
        first = own[np.lexsort((own["id"], own["sent_s"]))][: limits.newcomer_calls]
        if len(first) < limits.newcomer_calls:
            calls = count(len(first), "call")
            return f"{life.name} answered {calls}, {limits.newcomer_calls} needed"
        began_s = float(first["sent_s"][0])
        warm = [
            place
            for place, each in enumerate(fleet.values())
            if each.ready_s is not None and each.ready_s < burst.window.began_s
        ]
        then = (once["sent_s"] >= began_s) & (once["sent_s"] <= burst.window.ended_s)
        others = np.sort(once[then & np.isin(who, warm)], order=["sent_s", "id"])
        # The same stretch of time for both: what disturbs all of them must not count for one.
        beside = np.count_nonzero(others["sent_s"] <= first["sent_s"][-1])
        others = others[: max(int(beside), limits.answers_needed)]
        if len(others) < limits.answers_needed:
            calls = count(len(others), "call")
            return f"warm replicas answered {calls} beside {life.name}'s first, too few to compare"
        return cls(life.name, len(first), began_s, p99_ms(first), len(others), p99_ms(others))

    def told(self, history: History) -> str:
        return (
            f"99 % of the first {self.calls:,} calls of {self.name}, from "
            f"{at(history, self.began_s)}, took at most {self.p99_ms:.1f} ms; of "
            f"{self.warm_calls:,} on warm replicas beside it {self.warm_p99_ms:.1f} ms"
        )
