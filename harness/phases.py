"""How long each step of a disturbance took: from its proven effect to the service's recovery.

    t0 ── detect ── eject ── ordered ── started ── ready ── first_correct ── readmit ── recovered

All figures are seconds from t0, the instant at which the fault's effect was proven. The effect
itself may be a little older, so what happened between injection and proof counts as 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from harness.fleet import Life, lives
from harness.history import FaultRecord, History, latency_s
from harness.serving import answered_by, began_s, sent_to
from harness.tables import CORRECT, WRONG, Table

SLOWER_THAN_STEADY = 3.0
"""An answer is late where it takes more than this many times the steady 99th percentile."""
LATE_AT_LEAST_S = 0.05
"""No answer quicker than this is late, however quick the steady ones are."""
RECOVERY_S = 1.0
"""Recovery is believed when every request of this long a window is well, and of all that follow."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds from the proven effect t0. None: never seen before the scenario's end (censored)."""

    detect_s: float | None = None
    """First deviation that a client sees (failed, retried or late), or first readiness flip."""
    eject_s: float | None = None
    """Last call that the balancer sent to a victim before healing; 0 if none after t0."""
    ordered_s: float | None = None
    """The slowest replacement was ordered."""
    started_s: float | None = None
    """The slowest replacement's process ran."""
    ready_s: float | None = None
    """The slowest replacement passed its readiness probe."""
    first_correct_s: float | None = None
    """The slowest replacement gave its first golden-correct answer, asked directly."""
    readmit_s: float | None = None
    """First OK answer of a replacement through the balancer."""
    back_s: float | None = None
    """First golden-correct OK answer, from anyone, to a request sent after t0."""
    recovered_s: float | None = None
    """Start of the first window of 1 s that is all well and stays so to the end."""
    outage_s: float | None = None
    """Longest stretch without an OK answer from the last one before the fault on."""

    def as_mapping(self) -> Mapping[str, float | None]:
        """The figures by their names, as a stored scenario keeps them."""
        return asdict(self)


def phases(history: History, fault: FaultRecord) -> Phases:
    """The phase times of one fault; all None where its effect was never proven."""
    if fault.effect_s is None:
        return Phases()
    t0_s = fault.effect_s
    fleet = lives(history.events)
    replacements = [
        life
        for life in fleet.values()
        if life.predecessor in fault.targets and life.ordered_s >= fault.injected_s
    ]
    promise_s = promised_latency_s(history, fault)
    return Phases(
        detect_s=_since(t0_s, _detected(history, fault, promise_s)),
        eject_s=_since(t0_s, _ejected(history, fault, fleet)),
        ordered_s=_slowest(t0_s, (life.ordered_s for life in replacements)),
        started_s=_slowest(t0_s, (life.started_s for life in replacements)),
        ready_s=_slowest(t0_s, (life.ready_s for life in replacements)),
        first_correct_s=_slowest(t0_s, (life.first_correct_s for life in replacements)),
        readmit_s=_since(t0_s, _readmitted(history, replacements, fleet)),
        back_s=_since(t0_s, _back(history, t0_s)),
        recovered_s=_since(t0_s, _recovered(history, fault, promise_s)),
        outage_s=_outage_s(history, fault),
    )


def promised_latency_s(history: History, fault: FaultRecord) -> float:
    """The latency above which an answer is late, from the steady time before the fault."""
    requests = history.requests
    before = requests["done_s"] < fault.injected_s
    steady = np.zeros(len(requests), dtype=bool)
    for window in history.windows_of("steady"):
        steady |= (requests["intended_s"] >= window.began_s) & (
            requests["intended_s"] <= window.ended_s
        )
    chosen = requests[before & (steady if np.any(before & steady) else True)]
    answered = chosen[chosen["status"] == 0]
    if not len(answered):
        return np.inf
    p99_s = float(np.percentile(latency_s(answered), 99))
    return max(SLOWER_THAN_STEADY * p99_s, LATE_AT_LEAST_S)


def _since(t0_s: float, instant_s: float | None) -> float | None:
    return None if instant_s is None else max(0.0, instant_s - t0_s)


def _slowest(t0_s: float, instants_s: Iterable[float | None]) -> float | None:
    """The last of them; None where there are none, or one of them never came."""
    listed = list(instants_s)
    known = [instant_s for instant_s in listed if instant_s is not None]
    return _since(t0_s, max(known)) if known and len(known) == len(listed) else None


def _first(instants_s: NDArray[np.float64]) -> list[float]:
    return [float(instants_s.min())] if len(instants_s) else []


def _detected(history: History, fault: FaultRecord, promise_s: float) -> float | None:
    requests = history.requests[history.requests["done_s"] >= fault.injected_s]
    attempts = history.attempts[history.attempts["done_s"] >= fault.injected_s]
    # A retried request whose attempts were not recorded shows when it is done.
    retried = requests["attempts"] > 1 if not len(history.attempts) else False
    deviant = (requests["status"] != 0) | (latency_s(requests) > promise_s) | retried
    flips = (
        event.time_s
        for event in history.during("replica.unready", "replica.unrouted")
        if event.time_s >= fault.injected_s
    )
    seen = [
        *_first(requests["done_s"][deviant]),
        *_first(attempts["done_s"][attempts["status"] != 0]),
        *flips,
    ]
    return min(seen, default=None)


def _ejected(history: History, fault: FaultRecord, fleet: Mapping[str, Life]) -> float | None:
    victims = [fleet[name] for name in fault.targets if name in fleet]
    if not victims or not len(history.access) or fault.effect_s is None:
        return None
    began = began_s(history.access)
    late = began > fault.effect_s
    last_s = fault.effect_s
    for victim in victims:
        # A victim that lives on is sent requests again once it is healed.
        healed = fault.healed_s if victim.died_s is None else None
        until_s = np.inf if healed is None else healed
        sent = began[sent_to(history.access, fleet, victim, late & (began <= until_s))]
        last_s = max(last_s, float(sent.max(initial=last_s)))
    return last_s


def _readmitted(
    history: History, replacements: list[Life], fleet: Mapping[str, Life]
) -> float | None:
    places = [place for place, life in enumerate(fleet.values()) if life in replacements]
    answered = history.requests["status"] == 0
    theirs = np.isin(answered_by(history.requests["replica"][answered], fleet), places)
    return min(_first(history.requests["done_s"][answered][theirs]), default=None)


def _back(history: History, t0_s: float) -> float | None:
    requests = history.requests
    correct = (requests["status"] == 0) & (requests["correct"] == CORRECT)
    return min(_first(requests["done_s"][correct & (requests["sent_s"] > t0_s)]), default=None)


def _recovered(history: History, fault: FaultRecord, promise_s: float) -> float | None:
    """When the first request after the last unwell one was due."""
    requests: Table = history.requests[history.requests["done_s"] >= fault.injected_s]
    due_s = requests["intended_s"]
    unwell = (
        (requests["status"] != 0)
        | (requests["correct"] == WRONG)
        | (latency_s(requests) > promise_s)
    )
    after = due_s[due_s > due_s[unwell].max(initial=-np.inf)]
    if not len(after) or after.max() - after.min() < RECOVERY_S:
        return None
    return float(after.min())


def _outage_s(history: History, fault: FaultRecord) -> float | None:
    requests = history.requests
    answered_s = np.sort(requests["done_s"][requests["status"] == 0])
    before = answered_s[answered_s <= fault.injected_s][-1:]
    after = answered_s[answered_s > fault.injected_s]
    if not len(before) and not len(after):
        return None
    # Where nothing was answered again, the outage lasted at least to the last failure.
    last_s = requests["done_s"].max(initial=fault.injected_s)
    return float(np.diff(np.concatenate([before, after, [last_s]])).max(initial=0.0))
