"""A made-up run that looks like a real one: seeded requests, a kill, a refusal storm, a skip."""

from collections.abc import Iterator

import numpy as np

from harness.contract import Outcome, Verdict
from harness.history import Event, FaultRecord, Generator, History, Proof, Proofs, Window
from harness.run import Run, Scenario
from harness.tables import REQUEST, Table

KILL_S, READY_S, RECOVERED_S = 15.0, 6.2, 8.4
"""When the replica is killed; when its successor is ready and all is normal, from then on."""


def requests(
    count: int, span_s: float, seed: int, began_s: float = 0.0, lost_s: float = 1.8
) -> Table:
    """Requests, of which a third fails for ``lost_s`` after the kill, and the rest slows down."""
    random = np.random.default_rng(seed)
    rows = np.zeros(count, dtype=REQUEST)
    at_s = np.sort(random.uniform(0.0, span_s, count))
    latency_s = random.lognormal(np.log(0.010), 0.32, count)
    latency_s[(at_s > KILL_S + lost_s) & (at_s < KILL_S + RECOVERED_S)] *= 2.1
    failed = (at_s > KILL_S) & (at_s < KILL_S + lost_s) & (random.random(count) < 1 / 3)
    refused = failed & (random.random(count) < 0.8)
    latency_s[refused] = random.lognormal(np.log(0.0025), 0.3, int(refused.sum()))
    latency_s[failed & ~refused] = 1.0
    rows["id"] = [b"r-%d" % index for index in range(count)]
    rows["intended_s"] = began_s + at_s
    rows["sent_s"] = rows["intended_s"] + random.exponential(0.0002, count)
    rows["done_s"] = rows["intended_s"] + latency_s
    rows["status"] = np.where(failed, 14, 0)
    rows["attempts"] = 1
    rows["correct"] = np.where(failed, -1, 1)
    return rows


def with_wrong(rows: Table, every: int) -> Table:
    """The same requests, of which every so many good ones is answered wrongly."""
    changed = rows.copy()
    good = np.flatnonzero(changed["status"] == 0)
    changed["correct"][good[:: max(every, 1)]] = 0
    return changed


def fleet_events(began_s: float = 0.0, lost_s: float = 1.8, first: int = 1) -> tuple[Event, ...]:
    """Three replicas, of which the second is killed and replaced; all stop after the scenario."""
    kill_s = began_s + KILL_S
    victim, heir = f"replica-{first + 1}", f"replica-{first + 3}"
    events = []
    for slot in range(3):
        events += list(_born(f"replica-{first + slot}", slot, None, began_s - 12.0 + slot))
    events.append(Event(kill_s, "replica.died", victim, {"exit_code": 137}))
    events.append(Event(kill_s + lost_s, "replica.unrouted", victim))
    events += list(_born(heir, 1, victim, kill_s + 1.1, READY_S - 1.1))
    for name in (f"replica-{first}", heir, f"replica-{first + 2}"):
        events.append(Event(began_s + 41.0, "replica.unrouted", name))
        events.append(Event(began_s + 41.0, "replica.died", name, {"exit_code": 0}))
    return tuple(sorted(events, key=lambda each: each.time_s))


def _born(
    name: str, slot: int, predecessor: str | None, at_s: float, took_s: float = 4.0
) -> Iterator[Event]:
    yield Event(at_s, "replica.ordered", name, {"slot": slot, "predecessor": predecessor})
    yield Event(at_s + 0.4, "replica.started", name, {"address": f"10.0.0.{slot}:9000"})
    yield Event(at_s + took_s, "replica.ready", name)
    yield Event(at_s + took_s + 0.2, "replica.routed", name)
    yield Event(at_s + took_s + 0.5, "replica.first_correct", name, {"golden_difference": 0.0})


def verdict(
    id_: str,
    outcome: str,
    measured: float | str | None,
    promised: float | str = 10.0,
    *,
    unit: str = "s",
    statement: str = "A replacement is ready within the start budget.",
    sentence: str = "the replacement was ready",
    scenario: str = "kill",
    comparison: str = "<=",
    evidence: tuple[str, ...] = (),
) -> Verdict:
    """One verdict; the outcome as its word."""
    return Verdict(
        id_,
        statement,
        scenario,
        Outcome(outcome),
        promised,
        measured,
        unit,
        comparison,
        sentence,
        evidence,
    )


def fault(
    name: str, scenario: str, began_s: float, target: str, *, proven: bool = True
) -> FaultRecord:
    """A fault on one replica with its proofs."""
    healed_s = began_s + READY_S
    effect = Proof("the process is gone", proven, "docker: exited (137)", began_s + 0.02)
    bystander = Proof("its neighbour still answers", True, "12 of 12 correct", began_s + 0.4)
    restored = Proof("a replacement is ready", True, "SERVING after 6.2 s", healed_s)
    return FaultRecord(
        scenario,
        name,
        (target,),
        began_s,
        began_s + 0.02,
        healed_s,
        healed_s + 0.1,
        Proofs((effect,), (bystander,), (restored,)),
    )


def kill_scenario(
    count: int = 2000,
    seed: int = 7,
    *,
    name: str = "kill",
    title: str = "Losing one of three replicas costs no request, and another is ready in 10 s.",
    verdicts: tuple[Verdict, ...] = (),
    began_s: float = 100.0,
    lost_s: float = 1.8,
    first: int = 1,
) -> Scenario:
    """Forty seconds of load with a kill after fifteen; ``first`` numbers its replicas."""
    kill_s = began_s + KILL_S
    victim = f"replica-{first + 1}"
    history = History(
        scenario=name,
        began_s=began_s,
        ended_s=began_s + 40.0,
        requests=requests(count, 40.0, seed, began_s, lost_s),
        events=tuple(
            each for each in fleet_events(began_s, lost_s, first) if each.time_s <= began_s + 40.0
        ),
        windows=(Window("fault", f"kill {victim}", kill_s, kill_s + READY_S),),
        faults=(fault(f"kill {victim}", name, kill_s, victim),),
        generators=(Generator("steady", count / 40, "even", count, count, 0.08, 0.61, 3.2, 4, 0),),
    )
    repeat = f"pytest faults/test_rescheduling.py::test_{name} --seed {seed}"
    node_id = f"faults/test_rescheduling.py::test_{name}"
    return Scenario(name, title, node_id, repeat, history, verdicts, _phases(lost_s))


def _phases(lost_s: float) -> dict[str, float | None]:
    return {
        "detected_s": 0.9,
        "ejected_s": lost_s,
        "ready_s": READY_S,
        "first_correct_s": READY_S + 0.5,
        "readmitted_s": READY_S + 0.2,
        "recovered_s": RECOVERED_S,
    }


def run(*scenarios: Scenario, **changes: object) -> Run:
    """A run of these scenarios."""
    known: dict[str, object] = {
        "id": "20261121-140312-7",
        "began_at": "2026-11-21T14:03:12+00:00",
        "duration_s": 372.0,
        "seed": 7,
        "exit_status": 0,
        "conditions": {
            "image": "reference-inference:0.4.1",
            "digest": "sha256:3f2c1ab09d77",
            "replicas": 3,
            "balancer": "nginx 1.27",
            "platform": "docker",
            "cores": 2,
            "commit": "3f2c1ab",
        },
        "scenarios": scenarios,
        "version": "0.1.0",
    }
    return Run(**{**known, **changes})  # type: ignore[arg-type]
