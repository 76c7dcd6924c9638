"""The matrix of faults by clauses: worst verdicts, each leading to its scenario."""

from dataclasses import replace

from harness.history import FaultRecord
from harness.run import Scenario
from reports.matrix import Line, Matrix, matrix
from tests.reports import sample


def _scenario(name: str, fault: str, *targets: str, **verdicts: str) -> Scenario:
    """A scenario with one fault, or none, and the verdicts of its clauses."""
    judged = tuple(sample.verdict(id_, word, 1, scenario=name) for id_, word in verdicts.items())
    scenario = sample.kill_scenario(10, name=name, title=f"{name}.", verdicts=judged)
    faults = (FaultRecord(name, fault, targets, 100.0),) if fault else ()
    return replace(scenario, history=replace(scenario.history, faults=faults))


def _of(*scenarios: Scenario) -> Matrix:
    found = matrix(sample.run(*scenarios))
    assert found is not None
    return found


def _signs(line: Line) -> str:
    return "".join("." if cell is None else cell.sign for cell in line.cells)


def test_worst_verdict_counts_and_leads_to_its_scenario() -> None:
    """Broken before inconclusive before held, whichever scenario came first."""
    found = _of(
        _scenario("one", "kill", "replica-1", T5="held", D3="inconclusive"),
        _scenario("two", "kill", "replica-7", T5="broken", D3="held"),
        _scenario("three", "slow", "cache-path", D3="held"),
    )

    assert [each.name for each in found.columns] == ["D3", "T5"]
    assert [each.name for each in found.lines] == ["kill of replica", "slow of cache-path"]
    assert [_signs(each) for each in found.lines] == ["?✗", "✓."]
    assert [each.remark for each in found.lines] == ["×2", ""]
    cell = found.lines[0].cells[1]
    assert cell is not None
    assert (cell.anchor, cell.meaning) == ("scenario-2", "T5 broken, kill of replica")


def test_scenario_with_two_faults_counts_for_both() -> None:
    """Which of the two broke a clause is not for the matrix to guess."""
    both = _scenario("one", "kill", "replica-1", T5="broken", D3="held")
    second = FaultRecord("one", "slow", ("cache-path",), 101.0)
    faults = (*both.history.faults, second)
    found = _of(replace(both, history=replace(both.history, faults=faults)))

    assert [_signs(each) for each in found.lines] == ["✓✗", "✓✗"]


def test_no_fault_and_the_whole_run_come_last() -> None:
    """What no fault was around for has its own row, and so has what was judged on all scenarios."""
    quiet = _scenario("one", "", S2="held", L1="held")
    whole = replace(quiet.verdicts[0], scope="run")
    quiet = replace(quiet, verdicts=(whole, quiet.verdicts[1]))
    found = _of(quiet, _scenario("two", "kill", "replica-1", L1="held"))

    assert [each.name for each in found.lines] == ["kill of replica", "no fault", "the whole run"]
    assert [_signs(each) for each in found.lines] == ["✓.", "✓.", ".✓"]


def test_clauses_stand_in_the_order_of_their_numbers() -> None:
    """S2 comes before S10."""
    found = _of(
        _scenario("one", "kill", "replica-1", S10="held", S2="held"),
        _scenario("two", "", S2="held"),
    )

    assert [each.name for each in found.columns] == ["S2", "S10"]


def test_single_row_is_no_matrix() -> None:
    """Where there is but one fault, the scorecard says it all."""
    assert matrix(sample.run(_scenario("one", "kill", "replica-1", T5="held", D3="held"))) is None
    assert matrix(sample.run()) is None
