"""A made-up run of a million requests in forty scenarios, made within seconds from one seed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.contract import Verdict
from harness.history import Event, History
from harness.run import Run, Scenario
from harness.tables import ACCESS, ATTEMPT, RECORD, USAGE, Table
from tests.reports.sample import KILL_S, fleet_events, kill_scenario, run, verdict

SCENARIOS = 40
_APART_S = 100.0  # from the beginning of one scenario to that of the next
_LASTS_S = 40.0
_SURFACES = ("ServerLive", "ServerReady", "ModelReady", "health", "livez", "readyz")
_WITNESSED_HZ = 2.5
_CONTAINERS = ("balancer-1", "database", "cache", "store", "proxy")


def big(requests: int = 1_000_000, scenarios: int = SCENARIOS) -> Run:
    """A run with so many requests in all, and attempts, access lines, records and usage to them.

    Every replica is probed and witnessed as often as in a real run. Events pile up over the run.
    """
    made = []
    past: tuple[Event, ...] = ()
    for index in range(scenarios):
        scenario = _scenario(index, requests // scenarios)
        past = (*past, *_events(scenario))
        made.append(replace(scenario, history=replace(scenario.history, events=past)))
        past = (*past, *_ends(index, scenario.history))
    return run(*made, exit_status=1, duration_s=scenarios * _APART_S)


def _scenario(index: int, requests: int) -> Scenario:
    name = f"test_kill_{index}"
    scenario = kill_scenario(
        requests,
        seed=index,
        name=name,
        title=f"Losing one of three replicas costs no request, as seen for the {index + 1}th time.",
        verdicts=tuple(_verdicts(index, name)),
        began_s=_APART_S * (index + 1),
        lost_s=_lost_s(index),
        first=4 * index + 1,
    )
    return replace(scenario, history=_filled(scenario.history, index))


def _ends(index: int, history: History) -> Iterator[Event]:
    """What happens to the fleet after the scenario: it is stopped."""
    fleet = fleet_events(history.began_s, _lost_s(index), 4 * index + 1)
    return (each for each in fleet if each.time_s > history.ended_s)


def _lost_s(index: int) -> float:
    return 1.8 + index % 4


def _verdicts(index: int, scenario: str) -> Iterator[Verdict]:
    """Eight clauses; in every fifth scenario one is broken, in every seventh one is not judged."""
    for place in range(8):
        outcome = "held"
        if place == 0 and index % 5 == 0:
            outcome = "broken"
        if place == 1 and index % 7 == 0:
            outcome = "inconclusive"
        lines = (
            f"r-{each} at {15 + each / 1000:.2f} s: UNAVAILABLE after 2.4 ms" for each in range(5)
        )
        yield verdict(
            f"T{place}",
            outcome,
            None if outcome == "inconclusive" else 0.0372 + index,
            0.001 if outcome == "broken" else 100.0,
            scenario=scenario,
            evidence=tuple(lines) if outcome == "broken" else (),
        )


def _filled(history: History, seed: int) -> History:
    """The history with who answered each request, how often it was tried, and what was recorded."""
    random = np.random.default_rng(seed)
    requests = history.requests.copy()
    failed = requests["status"] != 0
    names = np.array([each.encode() for each in _replicas(history)])
    served = names[random.integers(0, len(names), len(requests))]
    requests["replica"] = np.where(failed, b"", served)
    requests["version"], requests["digest"] = b"1", b"82b89b79a6c466fb"
    requests["golden"] = random.integers(0, 64, len(requests))
    requests["attempts"] = 1 + failed
    attempts = _attempts(requests)
    return replace(
        history,
        requests=requests,
        attempts=attempts,
        access=_access(attempts),
        records=_records(requests[~failed]),
        usage=_usage(history, random),
    )


def _replicas(history: History) -> list[str]:
    return sorted({each.subject for each in history.events if each.kind == "replica.ordered"})


def _attempts(requests: Table) -> Table:
    """One try of each request, and a second one of each that failed."""
    again = requests[requests["status"] != 0]
    rows = np.zeros(len(requests) + len(again), dtype=ATTEMPT)
    number = np.repeat([1, 2], [len(requests), len(again)])
    of = np.concatenate([requests, again])
    rows["id"], rows["number"], rows["status"] = of["id"], number, of["status"]
    half_s = np.where(of["attempts"] == 2, (of["done_s"] - of["sent_s"]) / 2, 0.0)
    rows["sent_s"] = of["sent_s"] + np.where(number == 2, half_s, 0.0)
    rows["done_s"] = of["done_s"] - np.where(number == 1, half_s, 0.0)
    rows["detail"] = np.where(of["status"] == 0, b"", b"no live upstreams while connecting")
    return rows[np.argsort(rows["sent_s"], kind="stable")]


def _access(attempts: Table) -> Table:
    rows = np.zeros(len(attempts), dtype=ACCESS)
    rows["id"], rows["attempt"], rows["done_s"] = (
        attempts[column] for column in ("id", "number", "done_s")
    )
    rows["took_s"] = attempts["done_s"] - attempts["sent_s"]
    rows["upstream_took_s"] = rows["took_s"] * 0.9
    failed = attempts["status"] != 0
    rows["http_status"], rows["grpc_status"] = 200, np.where(failed, 14, -1)
    rows["upstream"] = b"172.18.0.7:9000"
    rows["upstream_status"] = np.where(failed, b"502", b"200")
    return rows


def _records(answered: Table) -> Table:
    rows = np.zeros(len(answered), dtype=RECORD)
    for column in ("id", "replica", "digest"):
        rows[column] = answered[column]
    rows["copies"] = rows["executions"] = 1
    return rows


def _usage(history: History, random: np.random.Generator) -> Table:
    """A sample of each container in each second."""
    names = [*_CONTAINERS, *_replicas(history)]
    seconds = np.arange(_LASTS_S)
    rows = np.zeros(len(names) * len(seconds), dtype=USAGE)
    rows["container"] = np.repeat([each.encode() for each in names], len(seconds))
    rows["time_s"] = history.began_s + np.tile(seconds, len(names))
    used = random.uniform(0.1, 0.9, (len(names), len(seconds)))
    rows["cpu_s"] = used.cumsum(axis=1).ravel()
    rows["throttled_s"] = (0.1 * used).cumsum(axis=1).ravel()
    rows["memory_bytes"] = (2e8 * (1 + used)).ravel()
    return rows


def _events(scenario: Scenario) -> Iterator[Event]:
    """What happened to the fleet, between it what probes and the witness saw, in order of time."""
    history = scenario.history
    events = [*history.events, *_fault_events(history)]
    replicas = _replicas(history)
    for second in np.arange(history.began_s, history.ended_s).tolist():
        events += (
            Event(second, "probe", each, {"surface": surface, "answer": True, "code": "OK"})
            for each in replicas
            for surface in _SURFACES
        )
    for at_s in np.arange(history.began_s, history.ended_s, 1 / _WITNESSED_HZ).tolist():
        details = {"ready": True, "correct": True, "code": "OK", "latency_ms": 3.2}
        events += (Event(at_s + 0.01, "witness", each, details) for each in replicas)
    yield from sorted(events, key=lambda each: each.time_s)


def _fault_events(history: History) -> Iterator[Event]:
    yield Event(history.began_s, "scenario.began", history.scenario)
    for fault in history.faults:
        targets = {"targets": ", ".join(fault.targets)}
        at_s = history.began_s + KILL_S
        yield Event(at_s, "fault.injecting", fault.name, targets)
        for kind, time_s in (("healing", fault.healed_s), ("restored", fault.restored_s)):
            if time_s is not None:
                yield Event(time_s, f"fault.{kind}", fault.name, targets)
    yield Event(history.ended_s, "scenario.ended", history.scenario)
