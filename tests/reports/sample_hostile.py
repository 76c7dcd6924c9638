"""A made-up run whose every text is hostile."""

from dataclasses import replace

from harness.contract import Verdict
from harness.history import History, Proof, Proofs
from harness.run import Run, Scenario
from tests.reports.sample import kill_scenario, run, verdict
from tests.reports.sample_runs import skipped_scenario

HOSTILE = "</script><img src=x onerror=alert(1)>"


def hostile() -> Run:
    """A run in which every text that comes from outside tries to leave its place."""
    return run(
        _scenario(),
        replace(skipped_scenario(), message=HOSTILE),
        id=HOSTILE,
        began_at=HOSTILE,
        version=HOSTILE,
        conditions={HOSTILE: HOSTILE},
        warnings=(HOSTILE,),
    )


def _scenario() -> Scenario:
    scenario = kill_scenario(500, name=HOSTILE, title=HOSTILE, verdicts=(_verdict(),))
    return replace(
        scenario,
        history=_history(scenario.history),
        node_id=HOSTILE,
        repeat=HOSTILE,
        message=HOSTILE,
        phases={HOSTILE: 1.0},
    )


def _verdict() -> Verdict:
    return verdict(
        HOSTILE,
        "broken",
        HOSTILE,
        HOSTILE,
        unit=HOSTILE,
        statement=HOSTILE,
        sentence=HOSTILE,
        scenario=HOSTILE,
        evidence=(HOSTILE, f"| {HOSTILE} `|`"),
    )


def _history(history: History) -> History:
    proof = Proofs((Proof(HOSTILE, True, HOSTILE, 115.0),))
    return replace(
        history,
        events=tuple(
            replace(each, subject=each.subject.replace("replica-2", HOSTILE))
            for each in history.events
        ),
        windows=tuple(replace(each, name=HOSTILE) for each in history.windows),
        faults=(replace(history.faults[0], name=HOSTILE, targets=(HOSTILE,), proof=proof),),
        generators=(replace(history.generators[0], name=HOSTILE, schedule=HOSTILE),),
    )
