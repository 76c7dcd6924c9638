"""A whole made-up run, with one scenario of each kind."""

from collections.abc import Iterator
from dataclasses import replace

from harness.history import History, Window
from harness.run import Run, Scenario
from tests.reports.sample import (
    READY_S,
    fault,
    fleet_events,
    kill_scenario,
    run,
    verdict,
    with_wrong,
)


def typical(count: int = 2000) -> Run:
    """Five scenarios: held, broken, with wrong answers, inconclusive, skipped."""
    scenarios = (
        kill_scenario(count, verdicts=_HELD),
        _silent_scenario(count),
        _wrong_scenario(count),
        unproven_scenario(count),
        skipped_scenario(),
    )
    return run(
        *_with_past(scenarios),
        warnings=("The load generator fell behind its schedule by up to 40 ms at second 12.",),
        exit_status=1,
    )


def _silent_scenario(count: int) -> Scenario:
    return kill_scenario(
        count,
        8,
        name="silent_kill",
        title="A replica that vanishes without a word costs at most 0.1 % of the requests.",
        verdicts=_BROKEN,
        began_s=200.0,
        lost_s=4.5,
        first=11,
    )


def _wrong_scenario(count: int) -> Scenario:
    held = verdict(
        "D2",
        "held",
        0,
        0,
        unit="contradictions",
        statement="No answer contradicts the golden one.",
        sentence="2,000 answers were compared",
        scenario="digest",
    )
    scenario = kill_scenario(
        count,
        9,
        name="digest",
        title="No answer is ever wrong while a replica is replaced.",
        verdicts=(held,),
        began_s=300.0,
        first=21,
    )
    return replace_requests(scenario, wrong_every=400)


def _with_past(scenarios: tuple[Scenario, ...]) -> Iterator[Scenario]:
    """The scenarios, each with the events of those before it, as one run records them."""
    every = [event for first in (1, 11, 21, 31) for event in fleet_events(*_FLEETS[first], first)]
    for each in scenarios:
        until_s = each.history.ended_s
        past = tuple(event for event in every if event.time_s <= until_s)
        yield replace(each, history=replace(each.history, events=past))


_FLEETS = {1: (100.0, 1.8), 11: (200.0, 4.5), 21: (300.0, 1.8), 31: (400.0, 1.8)}
"""By the number of its first replica: when a scenario of ``typical`` begins, and its lost time."""


def replace_requests(scenario: Scenario, wrong_every: int) -> Scenario:
    """The scenario with some answers turned wrong."""
    rows = with_wrong(scenario.history.requests, wrong_every)
    return replace(scenario, history=replace(scenario.history, requests=rows))


def unproven_scenario(count: int) -> Scenario:
    """A scenario whose fault could not be shown to have any effect, and which never recovered."""
    scenario = kill_scenario(
        count,
        10,
        name="readiness_lie",
        title="A replica that lies about its readiness is found out within one probe.",
        verdicts=_INCONCLUSIVE,
        began_s=400.0,
        first=31,
    )
    record = fault("lie about readiness", "readiness_lie", 415.0, "replica-32", proven=False)
    window = Window("fault", "lie about readiness on replica-32", 415.0, 421.2)
    history = replace(scenario.history, faults=(record,), windows=(window,))
    phases = {**scenario.phases, "recovered_s": None}
    return replace(scenario, history=history, phases=phases)


def skipped_scenario() -> Scenario:
    """A scenario that could not run."""
    return Scenario(
        "slow_disk",
        "A slow disk does not stop the service from starting.",
        "faults/test_storage.py::test_slow_disk",
        "pytest faults/test_storage.py::test_slow_disk --seed 7",
        History("slow_disk", 500.0, 500.0),
        conclusion="skipped",
        message="the platform docker cannot slow a disk: no device cgroup on this host",
    )


_HELD = (
    verdict("N2", "held", READY_S, sentence="the replacement was ready after 6.2 s"),
    verdict(
        "D3",
        "held",
        0.96,
        0.5,
        unit="of a fair share",
        comparison=">=",
        statement="A new replica gets at least half of its fair share of the requests.",
    ),
    verdict("T5", "held", 17, 20, unit="requests", statement="Few requests are lost in a kill."),
)
_BROKEN = (
    verdict(
        "T5",
        "broken",
        0.0372,
        0.001,
        unit="share",
        statement="No more than 0.1 % of the requests fail while one replica is down.",
        sentence="3.72 % of requests failed while one replica was down; the contract allows 0.10 %",
        scenario="silent_kill",
        evidence=(
            "r-752 at 15.03 s: UNAVAILABLE after 2.4 ms, sent to replica-2",
            "r-755 at 15.09 s: UNAVAILABLE after 2.1 ms, sent to replica-2",
            'replica-2 log: {"level": "info", "message": "predict", "request": "r-751"}',
        ),
    ),
    verdict("N2", "held", 6.2, scenario="silent_kill"),
)
_INCONCLUSIVE = (
    verdict(
        "H1",
        "inconclusive",
        None,
        1.0,
        statement="Health surfaces disagree for no longer than one probe.",
        sentence="the fault lie about readiness is not proven",
        scenario="readiness_lie",
    ),
)
