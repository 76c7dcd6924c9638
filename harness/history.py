"""One history on one clock: requests, what the balancer and the service say of them, and events.

Faults, load, platform and probes write into it; clauses and the report only read it. A history is
immutable, so judging it twice gives the same verdicts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from harness.tables import ACCESS, ATTEMPT, REQUEST, USAGE, Table, empty

Value: TypeAlias = str | int | float | bool | None
"""What an event's detail may be: everything that JSON has, without nesting."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one instant.

    ``kind`` is one of the names listed in docs/run-json.md, such as ``replica.ready``; ``subject``
    is the name of what it happened to: a replica, a backing service, a fault, a probe's target.
    """

    time_s: float
    kind: str
    subject: str
    details: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a scenario: ``steady``, ``observe``, ``fault`` (injection to restoration)."""

    kind: str
    name: str
    began_s: float
    ended_s: float

    def covers(self, time_s: float) -> bool:
        """Whether the instant lies inside."""
        return self.began_s <= time_s <= self.ended_s


@dataclass(frozen=True, slots=True)
class Proof:
    """One statement about a fault, shown by a path that the injector does not use.

    Where it is about a number, ``measured`` is that number in ``unit``, and had to lie from
    ``least`` to ``most``.
    """

    statement: str
    proven: bool
    seen: str
    time_s: float
    measured: float | None = None
    unit: str = ""
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Proofs:
    """What shows that a fault took effect, left bystanders unharmed, and was undone.

    ``baseline`` is what was measured before, where the effect is a number to hold against it.
    """

    effect: tuple[Proof, ...] = ()
    bystander: tuple[Proof, ...] = ()
    restored: tuple[Proof, ...] = ()
    baseline: tuple[Proof, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether each of the three is shown by at least one proof, and no proof failed."""
        return all(
            proofs and all(proof.proven for proof in proofs)
            for proofs in (self.effect, self.bystander, self.restored)
        )


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One disturbance: what it hit, when, and its proofs. Instants that never came are None."""

    scenario: str
    name: str
    targets: tuple[str, ...]
    injected_s: float
    effect_s: float | None = None  # its effect was proven
    healed_s: float | None = None  # healing began
    restored_s: float | None = None  # restoration was proven
    proof: Proofs = field(default_factory=Proofs)


@dataclass(frozen=True, slots=True)
class RateChange:
    """A new offered rate, told to a running load generator."""

    at_s: float  # monotonic: requests intended from then on follow it
    rate_rps: float


@dataclass(frozen=True, slots=True)
class Generator:
    """How well the load generator kept to its own schedule."""

    name: str
    rate_rps: float
    schedule: str
    planned: int
    sent: int
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    retries: int = 0
    retries_refused: int = 0  # retries that the retry budget did not allow
    profile: tuple[tuple[float, float], ...] = ()  # (seconds from the start, rps), as planned
    rate_changes: tuple[RateChange, ...] = ()  # told while it ran; each ends what was planned

    @property
    def unsent_share(self) -> float:
        """Share of the planned requests that were never sent, 0 to 1."""
        return 0.0 if self.planned == 0 else (self.planned - self.sent) / self.planned


@dataclass(frozen=True, slots=True)
class History:
    """What happened from the start of a run to the end of one scenario.

    ``began_s`` and ``ended_s`` bound the scenario. The tables hold its rows only; ``events`` also
    hold what came before, because the state of the fleet at ``began_s`` follows from it.
    ``records`` is None where the service offers no look into its record store.
    """

    scenario: str
    began_s: float
    ended_s: float
    requests: Table = field(default_factory=lambda: empty(REQUEST))
    attempts: Table = field(default_factory=lambda: empty(ATTEMPT))
    access: Table = field(default_factory=lambda: empty(ACCESS))
    records: Table | None = None
    usage: Table = field(default_factory=lambda: empty(USAGE))
    events: tuple[Event, ...] = ()
    windows: tuple[Window, ...] = ()
    faults: tuple[FaultRecord, ...] = ()
    generators: tuple[Generator, ...] = ()

    def of_kind(self, *kinds: str, subject: str | None = None) -> Iterator[Event]:
        """Events of these kinds in order of time, from the start of the run."""
        for event in self.events:
            if event.kind in kinds and subject in (None, event.subject):
                yield event

    def during(self, *kinds: str) -> Iterator[Event]:
        """Events of these kinds inside the scenario."""
        return (e for e in self.of_kind(*kinds) if self.began_s <= e.time_s <= self.ended_s)

    def requests_in(self, window: Window) -> Table:
        """Requests that were meant to be sent inside the window."""
        intended = self.requests["intended_s"]
        inside: Table = self.requests[(intended >= window.began_s) & (intended <= window.ended_s)]
        return inside

    def windows_of(self, kind: str) -> tuple[Window, ...]:
        """Windows of one kind, in order."""
        return tuple(window for window in self.windows if window.kind == kind)


def latency_s(requests: Table) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds from each request's intended send time to its outcome."""
    result: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        requests["done_s"] - requests["intended_s"]
    )
    return result


def join(histories: tuple[History, ...], scenario: str) -> History:
    """One history of several stretches that follow each other, such as the loads of a scenario."""
    if not histories:
        return History(scenario=scenario, began_s=0.0, ended_s=0.0)
    recorded = [h.records for h in histories if h.records is not None]
    last = max(histories, key=lambda h: h.ended_s)
    return replace(
        last,
        scenario=scenario,
        began_s=min(h.began_s for h in histories),
        requests=np.concatenate([h.requests for h in histories]),
        attempts=np.concatenate([h.attempts for h in histories]),
        access=np.concatenate([h.access for h in histories]),
        records=np.concatenate(recorded) if recorded else None,
        usage=np.concatenate([h.usage for h in histories]),
        windows=tuple(w for h in histories for w in h.windows),
        faults=tuple(f for h in histories for f in h.faults),
        generators=tuple(g for h in histories for g in h.generators),
    )


def whole_run(histories: tuple[History, ...], scenario: str) -> History:
    """One history from the first event of the run on, for promises that need many samples."""
    joined = join(histories, scenario)
    first_s = min((event.time_s for event in joined.events), default=joined.began_s)
    return replace(joined, began_s=min(first_s, joined.began_s))
