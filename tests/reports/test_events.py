"""The table of a scenario's events."""

from collections.abc import Iterable

from harness.history import Event, History
from reports.charts.frame import Frame
from reports.events import Happenings, happenings
from tests.reports import sample


def table(events: Iterable[Event], began_s: float = 100.0, ended_s: float = 140.0) -> Happenings:
    """The table of a scenario with these events."""
    history = History("kill", began_s, ended_s, events=tuple(events))
    return happenings(history, Frame(began_s, ended_s, ()))


def test_events_are_those_of_the_scenario() -> None:
    """What came before or after is left to other scenarios; both ends are inside."""
    found = table(Event(time_s, "replica.ready", str(time_s)) for time_s in (99.9, 100, 140, 140.1))

    assert [each.subject for each in found.rows] == ["100", "140"]
    assert [each.at for each in found.rows] == ["0.00 s", "40.00 s"]
    assert found.note == "2 events of this scenario"


def test_rows_say_what_happened_to_whom() -> None:
    """A kind is written in words, and details with their names, whatever their type."""
    details = {"exit_code": 137, "targets": "a,b", "ready": True, "model": None, "rps": 0.123456}
    row = table([Event(115.0204, "replica.died", "replica-2", details)]).rows[0]

    assert (row.at, row.what, row.subject) == ("15.02 s", "replica died", "replica-2")
    assert row.details == "exit code: 137, targets: a, b, ready: yes, model: none, rps: 0.1235"


def test_events_concern_others_too() -> None:
    """A fault concerns its targets, and a replacement what it replaces."""
    fault = Event(115.0, "fault.proven", "kill", {"targets": "replica-2,replica-3"})
    heir = Event(116.0, "replica.ordered", "replica-4", {"predecessor": "replica-2"})
    first = Event(117.0, "replica.ordered", "replica-5", {"predecessor": None})

    assert [each.others for each in table([fault, heir, first]).rows] == [
        "replica-2\nreplica-3",
        "replica-2",
        "",
    ]


def test_questions_of_the_harness_are_counted_only() -> None:
    """Probes and witnessed answers have no row, but the note says how many there were."""
    events = [Event(101.0 + n, "probe", "replica-1") for n in range(20)]
    events += [Event(130.0, "replica.died", "replica-1"), Event(131.0, "witness", "replica-1")]
    found = table(events)

    assert [each.what for each in found.rows] == ["replica died"]
    assert found.note == "1 event of this scenario; 21 probes and witnessed answers are not listed"


def test_a_long_table_is_cut_and_says_so() -> None:
    """Faults, deaths and routes are kept, then the earliest others, all in order of time."""
    rates = [Event(100.0 + n / 100, "load.rate", "load", {"rps": n}) for n in range(1500)]
    late = [
        Event(130.0, "fault.proven", "kill"),
        Event(131.0, "backing.died", "store"),
        Event(132.0, "balancer.routes", "balancer"),
    ]
    found = table([*rates, *late])

    assert len(found.rows) == 300
    assert [each.what for each in found.rows[-3:]] == [
        "fault proven",
        "backing died",
        "balancer routes",
    ]
    assert found.rows[296].details == "rps: 296"
    assert found.note.startswith("300 of 1,503 are listed, faults first")


def test_long_details_end_visibly() -> None:
    """The addresses of a large fleet do not fill the page."""
    addresses = ",".join(f"192.168.16.{n}:8080" for n in range(40))
    row = table([Event(101.0, "balancer.routes", "balancer", {"addresses": addresses})]).rows[0]

    assert len(row.details) == 200
    assert row.details.endswith("…")


def test_typical_scenario_lists_all_of_its_events() -> None:
    """Nothing but what came before is missing."""
    history = sample.kill_scenario().history
    inside = [each for each in history.events if each.time_s >= history.began_s]

    assert len(inside) == len(happenings(history, Frame(100.0, 140.0, ())).rows) > 5
