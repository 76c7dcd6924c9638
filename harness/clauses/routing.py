"""Routing: that every routed replica, old or new, gets its share of the requests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from harness.clauses._routes import Stretch, disturbances, routes, stretches
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import History
from harness.serving import answered_by

_NEW_REPLICA_CALLS_NEEDED = 50


@clause("N2", "Load is spread over the replicas request by request", needs_load=True)
def load_is_spread(history: History, limits: Limits) -> Finding:
    """Even shares wherever the routed set is constant, and a fair share soon for each new one."""
    fleet = lives(history.events)
    served = _Served.of(history, fleet)
    p_value = limits.balance_p_value
    if not len(served.sent_s):
        return missing(p_value, "p-value", "no answer says which replica gave it")
    news = [
        new
        for new in _newcomers(history, fleet, served, limits)
        if new.calls >= _NEW_REPLICA_CALLS_NEEDED
    ]
    starved = [new for new in news if new.share < limits.new_replica_share]
    told = [new.told(history) for new in news]
    if starved:
        return _starved(history, starved, limits)
    shares = [
        share
        for share in (_Share.of(stretch, served, fleet) for stretch in stretches(history, fleet))
        if sum(share.counts) >= limits.balance_calls_needed
    ]
    if not shares:
        reason = (
            f"the routed replicas never stayed the same, and untouched by a fault, for "
            f"{limits.balance_calls_needed} requests"
        )
        return missing(p_value, "p-value", reason, told)
    return _judge(history, shares, told, p_value)


@dataclass(frozen=True, slots=True)
class _Served:
    """Requests answered OK at the first attempt: a retry changes the replica."""

    sent_s: NDArray[np.float64]
    replica: NDArray[np.intp]

    @classmethod
    def of(cls, history: History, fleet: Mapping[str, Life]) -> "_Served":
        requests = history.requests
        once = (requests["status"] == 0) & (requests["attempts"] == 1)
        who = answered_by(requests["replica"][once], fleet)
        return cls(requests["sent_s"][once][who >= 0], who[who >= 0])

    def counts(self, began_s: float, ended_s: float, replicas: int) -> NDArray[np.intp]:
        """Answers of each replica of the fleet to requests sent within the span."""
        inside = (self.sent_s >= began_s) & (self.sent_s <= ended_s)
        return np.bincount(self.replica[inside], minlength=replicas)


@dataclass(frozen=True, slots=True)
class _Share:
    """How one stretch's answers were spread, and how likely that is if spread evenly."""

    stretch: Stretch
    counts: tuple[int, ...]
    p_value: float

    @classmethod
    def of(cls, stretch: Stretch, served: _Served, fleet: Mapping[str, Life]) -> "_Share":
        names = list(fleet)
        every = served.counts(stretch.began_s, stretch.ended_s, len(names))
        counts = tuple(int(every[names.index(name)]) for name in stretch.replicas)
        return cls(stretch, counts, _uniform_p_value(counts))

    def told(self, history: History) -> str:
        shares = ", ".join(
            f"{name} {number:,}"
            for name, number in zip(self.stretch.replicas, self.counts, strict=True)
        )
        return (
            f"{at(history, self.stretch.began_s)} to {at(history, self.stretch.ended_s)}: {shares} "
            f"(p = {self.p_value:.3g})"
        )


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """What a replica got of the requests in its first seconds behind the balancer."""

    name: str
    routed_s: float
    watched_s: float
    calls: int
    got: int
    share: float  # of an even share, so 1 is fair

    def told(self, history: History) -> str:
        return (
            f"{self.name}, routed to from {at(history, self.routed_s)}, got {self.got:,} of "
            f"{count(self.calls, 'request')} in {self.watched_s:.1f} s: "
            f"{self.share:.2f} of a fair share"
        )


def _uniform_p_value(counts: Sequence[int]) -> float:
    """Pearson's chi-square test of equal shares: how likely shares at least as uneven are."""
    expected = sum(counts) / max(len(counts), 1)
    if not expected or len(counts) < 2:
        return 1.0
    statistic = sum((seen - expected) ** 2 for seen in counts) / expected
    return float(chdtrc(len(counts) - 1, statistic))


def _starved(history: History, starved: list[_Newcomer], limits: Limits) -> Finding:
    """New replicas that got too little of the requests."""
    worst = min(starved, key=lambda new: new.share)
    told = few(new.told(history) for new in starved)
    promised, measured = limits.new_replica_share, round(worst.share, 3)
    return Finding(False, promised, measured, "of a fair share", worst.told(history), told, ">=")


def _judge(history: History, shares: Sequence[_Share], told: list[str], promised: float) -> Finding:
    """Each stretch has its own test; Bonferroni's factor keeps their number from mattering."""
    ranked = sorted(shares, key=lambda share: (share.p_value, share.stretch.began_s))
    worst = ranked[0]
    measured = min(1.0, worst.p_value * len(shares))
    several = f" (Bonferroni over {len(shares)} stretches)" if len(shares) > 1 else ""
    total = sum(sum(share.counts) for share in shares)
    sentence = (
        f"{count(total, 'request')} over {len(worst.counts)} replicas: {min(worst.counts):,} to "
        f"{max(worst.counts):,} each in the least even stretch, p = {measured:.3g}{several}"
    )
    evidence = few([share.told(history) for share in ranked] + told)
    return Finding(measured >= promised, promised, measured, "p-value", sentence, evidence, ">=")


def _newcomers(
    history: History, fleet: Mapping[str, Life], served: _Served, limits: Limits
) -> Iterable[_Newcomer]:
    listed = routes(history)
    seen: set[str] = set()
    names = list(fleet)
    for place, (time_s, replicas) in enumerate(listed):
        for name in replicas:
            if name in seen or name not in fleet or time_s < history.began_s:
                continue
            watched = Stretch(time_s, time_s + limits.new_replica_window_s, (name,))
            dropped = (t for t, there in listed[place:] if name not in there)
            disturbed = (t for t, _ in disturbances(watched, history, fleet) if t >= time_s)
            until_s = min(watched.ended_s, history.ended_s, *dropped, *disturbed)
            size = max(len(r) for t, r in listed[place:] if t <= until_s)
            counts = served.counts(time_s, until_s, len(names))
            calls, got = int(counts.sum()), int(counts[names.index(name)])
            share = got * size / calls if calls else 1.0
            yield _Newcomer(name, time_s, until_s - time_s, calls, got, share)
        seen.update(replicas)
