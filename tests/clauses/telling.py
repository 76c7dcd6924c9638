"""What the platform, the load and the balancer write down while a story happens."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from harness.fleet import Life
from harness.history import Event, History, Proof, Proofs, Value
from harness.tables import Table

BEGAN_S = 1000.0
DIGEST = "0123456789abcdef"
SURFACES = ("ServerLive", "livez", "ServerReady", "ModelReady", "health", "readyz")
TOOK_S = 0.02
REFUSED, OK, UNAVAILABLE = "502", 0, 14

Row: TypeAlias = tuple[object, ...]


PROVEN = Proofs(
    *(
        (Proof(statement, proven=True, seen="as stated", time_s=BEGAN_S),)
        for statement in ("gone", "untouched", "back")
    )
)
UNPROVEN = replace(PROVEN, effect=(Proof("gone", proven=False, seen="still there", time_s=0.0),))


@dataclass
class Start:
    """One replica of a story, with what it told at its first correct answer."""

    life: Life
    details: dict[str, Value]
    unrouted_s: float = np.inf


def events(starts: Iterable[Start], ended_s: float) -> list[Event]:
    """What the platform wrote down of these replicas, and what it told the balancer."""
    starts = list(starts)
    found, routes = [], []
    for start in starts:
        life = start.life
        steps: list[tuple[float | None, str, dict[str, Value]]] = [
            (life.ordered_s, "ordered", {"slot": life.slot, "predecessor": life.predecessor}),
            (
                life.started_s,
                "started",
                {
                    "address": life.address,
                    "container": life.container,
                    "hostname": life.hostname,
                },
            ),
            (life.ready_s, "ready", {}),
            (life.first_correct_s, "first_correct", start.details),
            (life.routed_s, "routed", {}),
            (start.unrouted_s, "unrouted", {}),
            (life.died_s, "died", {"exit_code": life.exit_code, "oom_killed": False}),
        ]
        found += [
            Event(time_s, f"replica.{kind}", life.name, details)
            for time_s, kind, details in steps
            if time_s is not None and time_s <= ended_s
        ]
        routes += [t for t in (life.routed_s, start.unrouted_s) if t and np.isfinite(t)]
    for time_s in sorted(routes):
        replicas = ",".join(life.name for life in _routed(starts, time_s))
        found.append(Event(time_s, "balancer.routes", "balancer", {"replicas": replicas}))
    return found


def _routed(starts: Iterable[Start], time_s: float) -> list[Life]:
    return [
        start.life
        for start in starts
        if start.life.routed_s is not None and start.life.routed_s <= time_s < start.unrouted_s
    ]


@dataclass
class Traffic:
    """Rows of the tables, as the load and the balancer wrote them."""

    requests: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    access: list[Row] = field(default_factory=list)


def traffic(starts: Iterable[Start], loads: Iterable[tuple[float, float, float]]) -> Traffic:
    """Requests answered in turn by the routed replicas: at loads of rate, begin and end."""
    starts, seen = list(starts), Traffic()
    for rate_rps, from_s, to_s in loads:
        for due_s in (BEGAN_S + np.arange(from_s, to_s, 1.0 / rate_rps)).tolist():
            _request(seen, due_s, _routed(starts, due_s))
    return seen


def _request(seen: Traffic, due_s: float, routed: list[Life]) -> None:
    """One request: cut off by its replica's death, refused by a dead one, or simply answered."""
    number = len(seen.requests)
    id_ = f"r-{number}"
    life, spare = routed[number % len(routed)], routed[(number + 1) % len(routed)]
    died_s = np.inf if life.died_s is None else life.died_s
    cut, refused = due_s < died_s < due_s + TOOK_S, died_s <= due_s
    server = spare if cut or refused else life
    tried = f"{life.address}, {spare.address}" if refused else str(server.address)
    if cut:
        seen.attempts.append((id_, 1, due_s, died_s, UNAVAILABLE, "upstream gone"))
        seen.access.append(line(id_, 1, due_s, str(life.address), REFUSED))
    sent_s, last = (due_s + 2 * TOOK_S, 2) if cut else (due_s, 1)
    done_s = sent_s + TOOK_S
    seen.attempts.append((id_, last, sent_s, done_s, OK, ""))
    seen.access.append(line(id_, last, sent_s, tried, f"{REFUSED}, 200" if refused else "200"))
    seen.requests.append(
        (id_, due_s, due_s, done_s, OK, last, 1, server.name, "1", DIGEST, number % 8)
    )


@dataclass(frozen=True)
class Spell:
    """What became of every so-manieth request that was due within a stretch of time."""

    from_s: float
    to_s: float
    every: int = 1
    status: int = OK
    took_s: float = TOOK_S
    retries: int = 0
    correct: int = 1


def alter(seen: dict[str, Table], spell: Spell) -> list[Row]:
    """Give the requests of a spell its outcome; returns the attempts that follow on the first."""
    requests, attempts = seen["requests"], seen["attempts"]
    due_s = requests["intended_s"] - BEGAN_S
    chosen = np.flatnonzero((due_s >= spell.from_s) & (due_s < spell.to_s))[:: spell.every]
    first = np.isin(attempts["id"], requests["id"][chosen])
    for rows, places in ((requests, chosen), (attempts, np.flatnonzero(first))):
        rows["status"][places] = spell.status
        rows["done_s"][places] = rows["sent_s"][places] + spell.took_s
    requests["correct"][chosen] = spell.correct if spell.status == OK else -1
    requests["attempts"][chosen] = 1 + spell.retries
    if spell.status != OK:
        requests["replica"][chosen] = b""
    return [
        (row["id"], number, sent_s, sent_s + spell.took_s, spell.status, "")
        for row in requests[chosen]
        for number in range(2, spell.retries + 2)
        for sent_s in [row["sent_s"] + 0.01 * number]
    ]


def line(id_: str, attempt: int, began_s: float, upstream: str, status: str) -> Row:
    """One line of the balancer's log, for a call taken up at this instant."""
    grpc = OK if status.endswith("200") else UNAVAILABLE
    return (id_, attempt, began_s + TOOK_S, TOOK_S, 200, grpc, upstream, status, TOOK_S)


def shuffled(history: History, seed: int) -> History:
    """The same history with the rows of every table in another order."""
    random = np.random.default_rng(seed)
    return replace(
        history,
        requests=random.permutation(history.requests),
        attempts=random.permutation(history.attempts),
        access=random.permutation(history.access),
        records=None if history.records is None else random.permutation(history.records),
    )


def on_clock(columns: dict[str, object]) -> dict[str, object]:
    """Columns with their times moved from the scenario's clock to the machine's."""
    return {
        name: BEGAN_S + float(str(value)) if name.endswith("_s") else value
        for name, value in columns.items()
    }


def change(rows: Table, id_: str, columns: dict[str, object]) -> None:
    """Give the first row of this id other values."""
    chosen = np.flatnonzero(rows["id"] == id_.encode())
    if not len(chosen):
        raise KeyError(f"the story has no row for {id_}")
    for name, value in columns.items():
        rows[name][chosen[0]] = value
