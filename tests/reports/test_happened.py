"""What happened where a clause is broken: only what the history knows."""

from dataclasses import replace

import numpy as np
import pytest

from harness.contract import Scope
from harness.fleet import lives
from harness.history import Event
from harness.run import Scenario
from reports.happened import happened, names
from reports.requests import named, named_by
from tests.reports import sample, sample_runs
from tests.reports.sample_evidence import BEGAN_S, after_kill_s, broken_scenario, lost_ids


def _told(scenario: Scenario) -> str:
    verdict = scenario.verdicts[0]
    requests = named_by(verdict, named(scenario, lives(scenario.history.events)))
    fleet = lives(scenario.history.events)
    facts = happened(verdict, scenario.history, fleet, requests)
    return " ".join(each.text for each in facts).replace("\N{NO-BREAK SPACE}", " ")


def _with_evidence(*lines: str, scope: Scope = "scenario") -> Scenario:
    broken = sample.verdict("X1", "broken", 1, evidence=lines)
    broken = replace(broken, scope=scope)
    return sample.kill_scenario(500, verdicts=(broken,), began_s=BEGAN_S)


def test_first_request_is_told_by_its_fault() -> None:
    """When the first request was sent: since the scenario began, and since the fault took hold."""
    scenario = broken_scenario()
    requests = scenario.history.requests
    first_s = float(requests["sent_s"][requests["status"] != 0][0])

    assert f"sent {first_s - BEGAN_S:.3f} s into the scenario" in _told(scenario)
    assert (
        f"{round(after_kill_s(first_s), 3):.3g} s after the effect of kill replica-2 was shown"
        in _told(scenario)
    )


def test_failures_are_counted_with_their_codes() -> None:
    """How many requests of the scenario failed, with which codes, until when."""
    scenario = broken_scenario()
    requests = scenario.history.requests
    last_s = float(requests["sent_s"][requests["status"] != 0].max()) - BEGAN_S
    lost = len(lost_ids(scenario))

    assert (
        f"Of 2,000 requests in the whole scenario {lost} failed ({lost} UNAVAILABLE), "
        f"the last of them sent at {last_s:.3f} s."
    ) in _told(scenario)


def test_replicas_are_counted_by_failed_tries() -> None:
    """Where the failed tries had been sent, the most frequent first."""
    told = _told(broken_scenario())

    assert "those that failed had been sent to replica-2 (4) and replica-3 (2)." in told
    assert "The status messages were “connection refused” (2)." in told


def test_unknown_replica_is_said_to_be_unknown() -> None:
    """No replica is guessed where neither an answer nor the balancer names one."""
    scenario = broken_scenario()
    bare = replace(scenario.history, access=scenario.history.access[:0])

    assert "No answer and no line of the balancer's log" in _told(replace(scenario, history=bare))


def test_wrong_answers_are_counted_as_such() -> None:
    """Answers that differ from the golden one are no failures."""
    scenario = _with_evidence("request r-0: OK from replica-1, sent at +0.004 s")
    requests = scenario.history.requests.copy()
    requests["status"], requests["correct"] = 0, 1
    requests["correct"][:3] = 0

    told = _told(replace(scenario, history=replace(scenario.history, requests=requests)))
    assert "Of 500 requests 3 were answered wrongly." in told


def test_slow_answers_are_told_by_their_latency() -> None:
    """Where what is named was answered well, its time is what is told."""
    scenario = _with_evidence("r-0 took long", "r-1 took long")
    requests = scenario.history.requests.copy()
    requests["status"], requests["correct"] = 0, 1
    requests["done_s"][:2] = requests["intended_s"][:2] + np.array([0.5, 0.25])

    told = _told(replace(scenario, history=replace(scenario.history, requests=requests)))
    assert "The 2 that are named were answered, after 250 ms to 500 ms." in told


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("+10.000", "10.000 s into the scenario, 5 s before kill replica-2."),
        ("+15.010", "0.01 s after kill replica-2 was injected, before its effect was shown."),
        ("+16.020", "1 s after the effect of kill replica-2 was shown."),
        ("+22.200", "1 s after the healing of kill replica-2 began."),
        ("-3.500", "The first evidence is from 3.500 s before the scenario began."),
    ],
)
def test_instant_of_the_evidence_is_told_by_the_fault(at: str, expected: str) -> None:
    """Without a request the first instant counts, before, in, and after the fault."""
    assert expected in _told(_with_evidence(f"replica-3 at {at} s: livez no answer"))


def test_fault_that_never_took_effect_is_told_as_such() -> None:
    """An unproven effect is not taken for granted."""
    scenario = _with_evidence("at +16.000 s")
    fault = replace(scenario.history.faults[0], effect_s=None, healed_s=None)
    scenario = replace(scenario, history=replace(scenario.history, faults=(fault,)))

    assert "was injected; its effect was never shown" in _told(scenario)


def test_replicas_of_the_evidence_are_named_once_each() -> None:
    """Names are those of the fleet, in the order of their mention."""
    scenario = _with_evidence("replica-3 and replica-1", "replica-3, replica-99")
    fleet = lives(scenario.history.events)

    assert names(scenario.verdicts[0], fleet) == ("replica-3", "replica-1")
    assert _told(scenario) == "It is about replica-3, replica-1."


def test_verdict_on_the_whole_run_has_another_clock() -> None:
    """Instants of a verdict on the run are not taken for instants of the scenario."""
    assert "first evidence" not in _told(_with_evidence("at +16.000 s", scope="run"))


def test_figure_without_an_instant_names_the_faults_in_force() -> None:
    """Where the evidence names nothing, the faults are all that is known."""
    told = _told(_with_evidence("99 % took at most 138.9 ms"))

    assert told == (
        "The evidence names no request, instant or replica. "
        "In force: kill replica-2 from 15.000 s to 21.200 s."
    )


def test_scenario_without_a_fault_says_so() -> None:
    """No fault is made up."""
    scenario = _with_evidence("99 % took at most 138.9 ms")
    scenario = replace(scenario, history=replace(scenario.history, faults=()))

    assert _told(scenario).endswith("No fault was injected in this scenario.")


def test_event_of_an_unknown_replica_is_no_name() -> None:
    """A word that is no replica of the fleet is none, whatever it looks like."""
    scenario = _with_evidence("ghost at +16.000 s")
    event = Event(BEGAN_S, "backing.died", "ghost")
    events = (*scenario.history.events, event)

    assert not names(scenario.verdicts[0], lives(events))


def test_sample_names_what_it_lost() -> None:
    """The typical run's broken clause is told from its own requests."""
    broken = next(s for s in sample_runs.typical().scenarios if s.name == "silent_kill")

    assert "The first request named was sent " in _told(broken)


def test_attempts_that_the_balancer_kept_back_are_counted() -> None:
    """A line of the balancer's log without a server is not the same as no line."""
    scenario = broken_scenario()
    access = scenario.history.access.copy()
    access["upstream"] = b""
    told = _told(replace(scenario, history=replace(scenario.history, access=access)))

    assert "The balancer did not send on 4 attempts of theirs." in told
    assert "says which replica" not in told


def test_attempts_that_no_replica_was_left_for_are_counted() -> None:
    """Where the balancer names its group in place of a server, it had none to send to."""
    scenario = broken_scenario()
    access = scenario.history.access.copy()
    access["upstream"] = [b"10.0.0.1:9000, replicas", b"replicas"] * 2
    told = _told(replace(scenario, history=replace(scenario.history, access=access)))

    assert "Of their attempts those that failed had been sent to replica-2 (2)." in told
    assert "For 4 attempts the balancer had no replica left." in told
