"""The error budget: what may fail, what did, and what is left."""

from dataclasses import replace

import numpy as np
import pytest

from harness.clauses.cache import cache_may_vanish
from harness.clauses.frozen import frozen_leaves_rotation
from harness.clauses.latency import answers_in_time
from harness.contract import Clause, Limits, judge
from harness.history import Event, FaultRecord, History, Proof, Proofs, Window
from harness.run import Scenario
from harness.tables import ACCESS, REQUEST, table
from reports.charts.allowance import allowance
from reports.charts.budget import budget
from reports.charts.scene import Terms, scene
from tests.reports import sample
from tests.reports.reading import read

_SPAN_S = 10.0


def _history(lost_at_s: tuple[float, ...], **changes: object) -> History:
    """A request every 10 ms for ten seconds, of which those nearest to these instants fail."""
    rows = np.zeros(1000, dtype=REQUEST)
    rows["id"] = [b"r-%d" % index for index in range(1000)]
    rows["intended_s"] = rows["sent_s"] = np.arange(1000) / 100
    rows["done_s"] = rows["intended_s"] + 0.002
    rows["attempts"] = 1
    rows["correct"] = 1
    lost = [round(at_s * 100) for at_s in lost_at_s]
    rows["status"][lost] = 14
    rows["correct"][lost] = -1
    known: dict[str, object] = {
        "requests": rows,
        "windows": (Window("observe", "observe", 0.0, 4.995), Window("steady", "s", 5.0, 9.99)),
    }
    return History("budget", 0.0, _SPAN_S, **{**known, **changes})  # type: ignore[arg-type]


def _scenario(history: History, *clauses: Clause, limits: Limits | None = None) -> Scenario:
    verdicts = judge(clauses, history, limits or Limits())
    return Scenario("budget", "", "", "", history, verdicts)


def _fault(name: str, target: str, from_s: float, to_s: float) -> FaultRecord:
    shown = (Proof("it is so", True, "seen", from_s),)
    proofs = Proofs(shown, shown, shown)
    return FaultRecord("budget", name, (target,), from_s, from_s, to_s, to_s, proofs)


def test_each_window_has_a_budget_of_its_own() -> None:
    """One percent of 500 may fail: five losses use it up, in another window it is whole again."""
    history = _history((1.0, 1.5, 2.0, 2.5, 3.0, 6.0))
    found = allowance(scene(_scenario(history, answers_in_time)))

    assert found is not None
    assert (found.clause, found.told) == (
        "L1",
        "1\N{NO-BREAK SPACE}% of the requests of each window may fail",
    )
    left = [each.left(len(each.lost_s)) for each in found.stretches]
    assert left == pytest.approx([0.0, 0.8])


@pytest.mark.parametrize("lost", [0, 4, 5, 6, 30])
def test_budget_is_overdrawn_where_the_clause_is_broken(lost: int) -> None:
    """The chart and L1 agree on each count of failures."""
    history = _history(tuple(1.0 + index / 50 for index in range(lost)))
    scenario = _scenario(history, answers_in_time)
    found = allowance(scene(scenario))

    assert found is not None
    broken = scenario.verdicts[0].verdict == "broken"
    assert broken == (found.worst.left(len(found.worst.lost_s)) < -1e-9)


def test_line_falls_at_each_failure() -> None:
    """Drawn on 64 px from 100 % to -100 %, so that one of five failures takes 6.4 px."""
    chart = budget(scene(_scenario(_history((2.0, 2.5, 7.5)), answers_in_time)))

    assert chart is not None
    paths = {
        p.attributes["class"]: p.attributes["d"] for p in read(str(chart.picture)).find("path")
    }
    assert paths == {"left": "M0 0H200V6.4H250V12.8H500M500 0H750V6.4H999"}
    assert chart.note.endswith("may fail; at worst 60\N{NO-BREAK SPACE}% left")


def test_axis_is_clamped_and_the_true_number_printed() -> None:
    """Fifty failures of which five may be leave -900 %, which no longer squeezes the line."""
    history = _history(tuple(1.0 + index / 50 for index in range(50)))
    chart = budget(scene(_scenario(history, answers_in_time)))

    assert chart is not None
    picture = read(str(chart.picture))
    said = "\N{MINUS SIGN}900\N{NO-BREAK SPACE}% left"
    assert picture.find("text", "beyond")[0].words == " ".join(said.split())
    assert chart.note.endswith(said)
    below = picture.find("path", "overdrawn")[0].attributes["d"]
    assert below.startswith("M110 32H110V38.4")
    assert below.endswith("V64H500V32z")


def test_nothing_may_fail_when_the_cache_is_lost() -> None:
    """A budget of no request is broken by the first, and is told in requests."""
    fault = _fault("refuse", "cache-path", 5.0, 6.0)
    history = _history((5.5,), faults=(fault,), windows=(Window("steady", "steady", 0.0, 4.99),))
    chart = budget(scene(_scenario(history, answers_in_time, cache_may_vanish)))

    assert chart is not None
    assert chart.note == "D4: no request may fail once the cache is lost; 1 of 500 requests failed"
    assert chart.series[0].unit == "requests"
    assert chart.series[0].values[-1] == 1.0


def test_loss_in_a_freeze_is_counted_in_two_parts() -> None:
    """First what was in flight and one more; once the platform has settled, one percent."""
    events = tuple(
        event
        for slot, name in enumerate(("replica-1", "replica-2"))
        for event in (
            Event(-2.0, "replica.ordered", name, {"slot": slot, "predecessor": None}),
            Event(-1.5, "replica.started", name, {"address": f"10.0.0.{slot}:9000"}),
            Event(-1.0, "replica.ready", name),
        )
    )
    access = table(ACCESS, [(b"r-0", 1, 0.9, 0.1, 200, 0, b"10.0.0.0:9000", b"200", 0.1)])
    fault = _fault("pause", "replica-2", 1.0, 9.0)
    history = _history((1.2, 3.5), events=events, access=access, faults=(fault,), windows=())
    limits = Limits(frozen_settling_s=2.0)
    scenario = _scenario(history, frozen_leaves_rotation, limits=limits)
    found = allowance(scene(scenario, Terms(limits)))

    assert scenario.verdicts[0].verdict == "held"
    assert found is not None
    assert [(each.allowed, len(each.lost_s)) for each in found.stretches] == [
        (1, 1),
        (pytest.approx(6.01), 1),
    ]


def test_without_a_clause_that_allows_failures_there_is_no_chart() -> None:
    """No empty figure stands on the page."""
    assert budget(scene(sample.kill_scenario(100))) is None
    assert budget(scene(_scenario(_history((), windows=()), answers_in_time))) is None


def test_kill_counts_from_the_first_kill_on() -> None:
    """T5 lets no request fail, and one that failed before any kill is not its concern."""
    scenario = sample.kill_scenario(2000, verdicts=(sample.verdict("T5", "held", 0, 0),))
    rows = scenario.history.requests.copy()
    rows["status"][:3] = 14
    changed = replace(scenario, history=replace(scenario.history, requests=rows))
    found = allowance(scene(changed))

    assert found is not None
    failed = (rows["status"] != 0) & (rows["done_s"] >= 100.0 + sample.KILL_S)
    assert len(found.stretches[0].lost_s) == int(failed.sum()) < int((rows["status"] != 0).sum())


def test_whole_budget_is_a_sentence() -> None:
    """Where nothing failed there is nothing to draw, and it is said."""
    chart = budget(scene(_scenario(_history(()), answers_in_time)))

    assert chart is not None
    assert chart.picture is None
    assert chart.note.endswith("of the requests of each window may fail; none did")
