"""The requests that a verdict names, with every attempt and the replica that it met."""

from dataclasses import replace

import numpy as np

from harness.contract import Outcome
from harness.fleet import lives
from harness.run import Scenario
from reports.attempts import status_word
from reports.requests import SHOWN, Request, grid, named, named_by, without
from tests.reports import sample
from tests.reports.sample_evidence import BEGAN_S, broken_scenario, lost_ids


def _named(scenario: Scenario) -> dict[str, Request]:
    return named(scenario, lives(scenario.history.events))


def _found() -> tuple[Request, ...]:
    scenario = broken_scenario()
    return named_by(scenario.verdicts[0], _named(scenario))


def test_requests_are_found_by_the_words_of_the_evidence() -> None:
    """Each id in the evidence is looked up, in the order of the lines; other words are none."""
    assert [each.id for each in _found()] == lost_ids(broken_scenario())[:2]


def test_held_verdicts_need_no_requests() -> None:
    """What held is not looked up."""
    scenario = broken_scenario()
    held = replace(scenario.verdicts[0], verdict=Outcome.HELD)

    assert not _named(replace(scenario, verdicts=(held,)))


def test_every_attempt_says_how_it_ended_and_where_it_was_sent() -> None:
    """Attempts stand in order; the balancer's log names the replicas by their addresses."""
    made = [str(each).replace("\N{NO-BREAK SPACE}", " ") for each in _found()[0].attempts]

    assert made == [
        "UNAVAILABLE 2 ms at replica-2: connection refused",
        "DEADLINE_EXCEEDED 9 ms at replica-2, then replica-3",
    ]
    assert _found()[0].replicas == ("replica-2", "replica-3")


def test_address_that_no_replica_had_stays_an_address() -> None:
    """The balancer's word is kept where the fleet does not know the address."""
    scenario = broken_scenario()
    access = scenario.history.access.copy()
    access["upstream"] = b"10.9.9.9:1"
    moved = replace(scenario, history=replace(scenario.history, access=access))

    assert next(iter(_named(moved).values())).replicas == ("10.9.9.9:1",)


def test_row_tells_what_is_known_of_a_request() -> None:
    """Id, time since the scenario began, who answered, attempts, end, latency, and remarks."""
    scenario = broken_scenario()
    found = _found()
    table = grid(found, scenario.verdicts[0], BEGAN_S)
    row = dict(zip(table.columns, table.rows[0], strict=True))

    assert row["request"] == found[0].id
    assert row["sent at"] == f"{found[0].sent_s - BEGAN_S:.3f} s"
    assert row["answered by"] == "nobody"
    assert row["status"] == "UNAVAILABLE"
    assert row["remark"] == "is not in the store"
    assert table.rows[1][-1] == ""


def test_unrecorded_attempts_are_said_to_be_so() -> None:
    """A run without attempts still counts them."""
    scenario = broken_scenario()
    history = replace(scenario.history, attempts=scenario.history.attempts[:0])
    scenario = replace(scenario, history=history)
    table = grid(tuple(_named(scenario).values()), scenario.verdicts[0], BEGAN_S)

    assert {row[3] for row in table.rows} == {"1, not recorded"}


def test_wrong_answer_is_not_called_ok() -> None:
    """A request that was answered wrongly says so, and by whom."""
    scenario = broken_scenario()
    requests = scenario.history.requests.copy()
    requests["status"], requests["correct"], requests["replica"] = 0, 0, b"replica-3"
    scenario = replace(scenario, history=replace(scenario.history, requests=requests))
    found = next(iter(_named(scenario).values()))

    assert found.outcome == "OK, but wrong"
    assert found.replica == "replica-3"


def test_lines_that_name_no_request_remain() -> None:
    """What the table does not hold stays text."""
    evidence = broken_scenario().verdicts[0].evidence

    assert without(evidence, _found()) == evidence[2:]


def test_no_more_than_the_first_are_tabulated_and_the_others_stay_text() -> None:
    """A line that names many requests costs no endless table, and no line is lost."""
    scenario = sample.kill_scenario(100)
    lines = tuple(f"r-{n} was late" for n in range(SHOWN + 3))
    broken = sample.verdict("X1", "broken", 1, evidence=lines)
    scenario = replace(scenario, verdicts=(broken,))
    found = named_by(broken, _named(scenario))

    assert len(found) == SHOWN
    assert without(lines, found) == lines[SHOWN:]


def test_mere_numbers_are_no_ids() -> None:
    """A count in a sentence is never taken for a request, whatever the ids look like."""
    scenario = sample.kill_scenario(100)
    requests = scenario.history.requests.copy()
    requests["id"] = np.arange(100).astype("S40")
    broken = sample.verdict("X1", "broken", 1, evidence=("17 of 99 failed, 1.5 s late",))
    history = replace(scenario.history, requests=requests)

    assert not _named(replace(scenario, history=history, verdicts=(broken,)))


def test_status_codes_have_names() -> None:
    """The first, the last, and one that gRPC does not know."""
    assert [status_word(code) for code in (0, 14, 16, 99)] == [
        "OK",
        "UNAVAILABLE",
        "UNAUTHENTICATED",
        "status 99",
    ]


def test_attempt_for_which_nobody_was_left_says_so() -> None:
    """The name of nginx's group of servers is not taken for a replica."""
    scenario = broken_scenario()
    access = scenario.history.access.copy()
    access["upstream"] = [b"10.0.0.1:9000, replicas", b"replicas"] * 2
    found = _named(replace(scenario, history=replace(scenario.history, access=access)))
    first, second = next(iter(found.values())).attempts

    assert str(first).endswith("at replica-2, then none was left: connection refused")
    assert str(second).endswith(", no replica was left")


def test_attempt_that_was_not_sent_on_says_so() -> None:
    """The balancer's own refusal is told from a call that it never logged."""
    scenario = broken_scenario()
    access = scenario.history.access.copy()
    access["upstream"] = b""
    refused = _named(replace(scenario, history=replace(scenario.history, access=access)))
    unlogged = _named(replace(scenario, history=replace(scenario.history, access=access[:0])))

    assert str(next(iter(refused.values())).attempts[0]).endswith(
        ", not sent on: connection refused"
    )
    assert str(next(iter(unlogged.values())).attempts[0]).endswith(
        "2\N{NO-BREAK SPACE}ms: connection refused"
    )
