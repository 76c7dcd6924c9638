"""Histories told as stories: a fleet, its load, what befell it, and what was seen of it.

    Story().fleet(3).requests(rate_rps=100).kill("replica-2", at_s=5).told()

Times are seconds from the start of the scenario. What no one tells goes well: requests are answered
in turn by the routed replicas, calls in flight on a killed one are retried on another, every
acknowledged answer is in the record store once. ``request``, ``record`` and the like then change
single facts, and that is what breaks a promise.
"""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from harness.fleet import Life
from harness.history import Event, FaultRecord, History, Proofs, Value, Window
from harness.tables import ACCESS, ATTEMPT, RECORD, REQUEST, table
from tests.clauses.telling import (
    BEGAN_S,
    DIGEST,
    OK,
    PROVEN,
    SURFACES,
    Row,
    Spell,
    Start,
    alter,
    change,
    events,
    line,
    on_clock,
    traffic,
)


@dataclass
class Story:
    """Collects what happened; ``told`` makes the history of it."""

    lasting_s: float = 30.0
    starts: dict[str, Start] = field(default_factory=dict)
    loads: list[tuple[float, float, float]] = field(default_factory=list)
    faults: list[FaultRecord] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    extra: list[Event] = field(default_factory=list)
    changes: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    lost_records: set[str] = field(default_factory=set)
    keeps_records: bool = True
    writes_access: bool = True

    def fleet(self, size: int, *, took_s: float = 1.5) -> Self:
        """Replicas that came up one after the other before the scenario began."""
        for number in range(1, size + 1):
            self.start(f"replica-{number}", at_s=-5.0 * (size - number + 1), took_s=took_s)
        return self

    def start(
        self,
        name: str,
        *,
        at_s: float,
        took_s: float | None = 1.5,
        instead_of: str | None = None,
        digest: str | None = DIGEST,
        difference: float | None = 0.0,
        routed: bool = True,
        **told: str | None,
    ) -> Self:
        """A start ordered at this time. ``took_s`` None: it never gave a correct answer."""
        number = len(self.starts) + 1
        ordered_s = BEGAN_S + at_s
        ready = None if took_s is None else ordered_s + took_s
        life = Life(
            name,
            slot=number,
            predecessor=instead_of,
            ordered_s=ordered_s,
            address=told.get("address") or f"10.0.0.{number}:9000",
            container=told.get("container") or f"container-{number}",
            hostname=told.get("hostname") or f"host-{number}",
            started_s=ordered_s + 0.3,
            ready_s=ready,
            first_correct_s=ready,
            routed_s=ready if routed else None,
        )
        details: dict[str, Value] = {
            "digest": digest,
            "version": told.get("version", "1"),
            "versions": told.get("versions", "1"),
            "golden_difference": difference,
            "cases": 8,
        }
        self.starts[name] = Start(life, details)
        return self

    def dies(self, name: str, *, at_s: float, exit_code: int = 137) -> Self:
        """A replica's death; the platform notices and stops routing to it 0.3 s later."""
        start = self.starts[name]
        start.life = replace(start.life, died_s=BEGAN_S + at_s, exit_code=exit_code)
        start.unrouted_s = min(start.unrouted_s, BEGAN_S + at_s + 0.3)
        return self

    def fault(
        self, name: str, *targets: str, at_s: float, lasting_s: float = 2.0, proof: Proofs = PROVEN
    ) -> Self:
        """A fault that was injected, took effect 0.05 s later, and was undone."""
        injected_s = BEGAN_S + at_s
        healed_s = injected_s + lasting_s
        self.faults.append(
            FaultRecord(
                "story", name, targets, injected_s, injected_s + 0.05, healed_s, healed_s, proof
            )
        )
        self.windows.append(Window("fault", name, injected_s + 0.05, healed_s))
        return self

    def kill(self, name: str, *, at_s: float, **replacement: str | float | None) -> Self:
        """A replica killed, and another ordered 0.4 s later in its place."""
        self.fault("kill", name, at_s=at_s, lasting_s=2.2)
        self.dies(name, at_s=at_s + 0.005)
        new = f"replica-{len(self.starts) + 1}"
        return self.start(new, at_s=at_s + 0.4, instead_of=name, **replacement)  # type: ignore[arg-type]

    def stop(
        self,
        name: str,
        *,
        at_s: float,
        took_s: float = 2.0,
        left_out_s: float = 1.0,
        exit_code: int = 0,
    ) -> Self:
        """A replica told to stop: soon left out by the balancer, later gone, then replaced."""
        self.fault("stop", name, at_s=at_s, lasting_s=took_s + 2.0)
        self.dies(name, at_s=at_s + took_s, exit_code=exit_code)
        self.starts[name].unrouted_s = BEGAN_S + at_s + left_out_s
        new = f"replica-{len(self.starts) + 1}"
        return self.start(new, at_s=at_s + took_s + 0.4, instead_of=name)

    def requests(
        self, rate_rps: float = 100.0, *, from_s: float = 0.0, to_s: float | None = None
    ) -> Self:
        """Load at a constant rate, to the end of the scenario unless it stops before."""
        self.loads.append((rate_rps, from_s, self.lasting_s if to_s is None else to_s))
        return self

    def steady(self, *, from_s: float = 0.0, to_s: float) -> Self:
        """A stretch declared to be steady."""
        self.windows.append(Window("steady", "steady", BEGAN_S + from_s, BEGAN_S + to_s))
        return self

    def offers(self, name: str, rate_rps: float, *, from_s: float, to_s: float) -> Self:
        """Load that is offered at a factor of the capacity, such as 2x."""
        self.windows.append(Window("offered", name, BEGAN_S + from_s, BEGAN_S + to_s))
        return self.requests(rate_rps, from_s=from_s, to_s=to_s)

    def observed(self, name: str = "observe", *, from_s: float, to_s: float) -> Self:
        """A stretch that was watched while a fault was in force."""
        self.windows.append(Window("observe", name, BEGAN_S + from_s, BEGAN_S + to_s))
        return self

    def capacity(self, rps: float, *, at_s: float = -1.0) -> Self:
        """The capacity, as it was measured before."""
        return self.event(
            "capacity.measured", "service", at_s=at_s, rps=rps, p99_ms=30.0, in_flight=8
        )

    def meanwhile(self, from_s: float, to_s: float, **outcome: float) -> Self:
        """What became of the requests due in this stretch: see ``Spell`` for the words."""
        self.spells.append(Spell(from_s, to_s, **outcome))  # type: ignore[arg-type]
        return self

    def probes(self, **answers: bool | str) -> Self:
        """All surfaces asked every 0.5 s while replicas live; a text is the code of no answer."""
        for start in self.starts.values():
            life = start.life
            first_s = max(life.ready_s or np.inf, BEGAN_S)
            last_s = min(life.died_s or np.inf, BEGAN_S + self.lasting_s)
            for number, time_s in enumerate(np.arange(first_s, last_s, 0.5).tolist()):
                for surface in SURFACES:
                    said = answers.get(surface, True)
                    self.probe(life.name, surface, said, at_s=time_s - BEGAN_S, number=number)
        return self

    def probe(
        self, replica: str, surface: str, said: bool | str, *, at_s: float, number: int
    ) -> Self:
        """One probe and its answer, or the code of an answer that did not come."""
        answer, code = (None, said) if isinstance(said, str) else (said, "OK")
        details: dict[str, Value] = {"answer": answer, "code": code, "latency_ms": 2.0}
        return self.event("probe", replica, at_s=at_s, surface=surface, round=number, **details)

    def event(self, kind: str, subject: str, *, at_s: float, **details: Value) -> Self:
        """Anything else that happened."""
        self.extra.append(Event(BEGAN_S + at_s, kind, subject, details))
        return self

    def request(self, id_: str, **columns: object) -> Self:
        """Another outcome of one request. Times are seconds from the start of the scenario."""
        self.changes.append(("requests", id_, on_clock(columns)))
        return self

    def attempt(self, id_: str, **columns: object) -> Self:
        """Another outcome of the first attempt of one request."""
        self.changes.append(("attempts", id_, on_clock(columns)))
        return self

    def record(self, id_: str, **columns: object) -> Self:
        """Another record of one request."""
        self.changes.append(("records", id_, columns))
        return self

    def lose_record(self, *ids: str) -> Self:
        """Requests whose record is nowhere."""
        self.lost_records.update(ids)
        return self

    def without_records(self) -> Self:
        """A service without a record store."""
        self.keeps_records = False
        return self

    def without_access_log(self) -> Self:
        """A balancer that logs nothing."""
        self.writes_access = False
        return self

    def call(
        self, id_: str, upstream: str, status: str = "200", *, at_s: float, attempt: int = 1
    ) -> Self:
        """One more line of the balancer's log, for a call taken up at this time."""
        self.calls.append(line(id_, attempt, BEGAN_S + at_s, upstream, status))
        return self

    def told(self) -> History:
        """The history of all this."""
        seen = traffic(self.starts.values(), self.loads)
        records = [
            (row[0], row[7], row[9], 1, 1)
            for row in seen.requests
            if row[4] == OK and row[0] not in self.lost_records
        ]
        tables = {
            "requests": table(REQUEST, seen.requests),
            "attempts": table(ATTEMPT, seen.attempts),
            "records": table(RECORD, records),
        }
        again = [row for spell in self.spells for row in alter(tables, spell)]
        tables["attempts"] = np.concatenate([tables["attempts"], table(ATTEMPT, again)])
        tried = [line(row[0], row[1], row[2], "", "") for row in again]  # type: ignore[arg-type]
        for name, id_, columns in self.changes:
            change(tables[name], id_, columns)
        platform = events(self.starts.values(), BEGAN_S + self.lasting_s)
        happened = sorted([*platform, *self.extra], key=lambda event: event.time_s)
        return History(
            "story",
            BEGAN_S,
            BEGAN_S + self.lasting_s,
            requests=tables["requests"],
            attempts=tables["attempts"],
            access=table(ACCESS, [*seen.access, *tried, *self.calls] if self.writes_access else []),
            records=tables["records"] if self.keeps_records else None,
            events=tuple(happened),
            windows=tuple(self.windows),
            faults=tuple(self.faults),
        )
