"""The pytest plugin with scenarios, on a platform that is none: outcomes, exit status, run."""

from collections.abc import Mapping

import pytest

from harness.run import Run, load
from tests.sessions import Opened, opened  # noqa: F401  # a fixture

HEAD = """
import pytest
from harness.contract import Outcome, Verdict
from harness.errors import EngineError, FaultError, UnprovenError
from harness.steady_state import UnhealthyError
from harness.history import History
from harness.ledger import demand

def judged(contract, outcome, *evidence):
    verdict = Verdict(
        "T5", "promise", "s", outcome, 0, 3, "requests", "<=", "3 requests failed", evidence
    )
    contract.entry.history = History("s", 1.0, 2.0)
    contract.entry.verdicts += (verdict,)
    demand([verdict])

"""
BODIES: Mapping[str, str] = {
    "held": "judged(contract, Outcome.HELD)",
    "broken": 'judged(contract, Outcome.BROKEN, "request r-17")',
    "inconclusive": 'judged(contract, Outcome.INCONCLUSIVE, "no request")',
    "unhealthy": 'raise UnhealthyError("only 90% of the answers were right")',
    "unproven": 'raise UnprovenError("the fault was not shown to take effect")',
    "failing": 'raise FaultError("cannot undo")',
    "wrong": "assert 1 == 2",
    "skipped": 'pytest.skip("no such capability")',
    "engine": 'raise EngineError("the engine is gone")',
    "unproven_twice": 'raise ExceptionGroup("g", [UnprovenError("a"), UnprovenError("b")])',
    "unproven_and_failing": 'raise ExceptionGroup("g", [UnprovenError("a"), FaultError("b")])',
}


def run(pytester: pytest.Pytester, *names: str, more: str = "") -> pytest.RunResult:
    """Run one scenario for each name, in this order, after what more there is."""
    scenarios = "".join(
        f'def test_{name}(experiment, contract):\n    """All is {name}."""\n    {BODIES[name]}\n'
        for name in names
    )
    pytester.makepyfile(HEAD + more + scenarios)
    return pytester.runpytest_inprocess("--seed", "41")


def saved(pytester: pytest.Pytester) -> Run:
    """The run that was saved, by the link that leads to it."""
    return load(pytester.path / "reports" / "latest")


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["held"], 0),
        (["held", "broken"], 1),
        (["held", "inconclusive"], 6),
        (["held", "unhealthy"], 6),
        (["held", "unproven"], 6),
        (["held", "failing"], 7),
        (["held", "wrong"], 1),
        (["inconclusive", "broken"], 1),
        (["failing", "broken"], 1),
        (["failing", "inconclusive"], 7),
        (["skipped"], 6),
        (["held", "unproven_twice"], 6),
        (["held", "unproven_and_failing"], 7),
    ],
)
def test_exit_status(
    pytester: pytest.Pytester,
    opened: Opened,  # noqa: F811
    names: list[str],
    status: int,
) -> None:
    """The exit status follows from all scenarios, and the saved run says the same."""
    result = run(pytester, *names)

    assert result.ret == status
    assert saved(pytester).exit_status == status
    assert opened.platform.closed == 1


def test_one_session_for_all(pytester: pytest.Pytester, opened: Opened) -> None:  # noqa: F811
    """All scenarios share one session, opened with the seed and the file in the root directory."""
    run(pytester, "held", "broken", "inconclusive")

    (session,) = opened.sessions
    assert opened.paths == [pytester.path / "resilience.toml"]
    assert session.ledger.seed == 41
    assert [entry.name for entry in session.ledger.entries] == [
        "test_held",
        "test_broken",
        "test_inconclusive",
    ]


@pytest.mark.usefixtures("opened")
def test_saved_run(pytester: pytest.Pytester) -> None:
    """The run holds the seed, each scenario's promise in words, how to repeat it, and the logs."""
    run(pytester, "held", "unhealthy")
    (held, unhealthy), directory = saved(pytester).scenarios, pytester.path / "reports/runs/mf-1"

    assert saved(pytester).seed == 41
    assert (held.title, held.conclusion) == ("All is held.", "judged")
    assert held.repeat == f"pytest '{held.node_id}' --seed 41"
    assert (unhealthy.conclusion, unhealthy.message) == (
        "skipped",
        "only 90% of the answers were right",
    )
    assert (directory / "logs" / "replica-1.log").read_bytes() == b"ready\n"


@pytest.mark.usefixtures("opened")
def test_inconclusive_is_an_outcome(pytester: pytest.Pytester) -> None:
    """Inconclusive scenarios are neither passed nor failed, and the reason is told."""
    result = run(pytester, "held", "inconclusive", "unproven")

    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["inconclusive"]) == (1, 2)
    assert "failed" not in outcomes
    result.stdout.fnmatch_lines(
        ["*inconclusive: *test_inconclusive*", "T5 inconclusive: 3 requests failed", "*no request"]
    )


@pytest.mark.usefixtures("opened")
def test_unhealthy_is_skipped(pytester: pytest.Pytester) -> None:
    """A scenario without a steady state is skipped, and says what was not well."""
    result = run(pytester, "held", "unhealthy")

    result.assert_outcomes(passed=1, skipped=1)
    pytester.makeini("[pytest]\naddopts = -rs")
    again = pytester.runpytest_inprocess()
    again.stdout.fnmatch_lines(["*unhealthy: only 90% of the answers were right*"])


@pytest.mark.usefixtures("opened")
def test_broken_shows_its_evidence(pytester: pytest.Pytester) -> None:
    """A broken promise is a failure whose evidence stands in the output, as does the verdict."""
    result = run(pytester, "broken")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*T5 broken: 3 requests failed", "*request r-17", "broken*T5*3 requests failed"]
    )
    result.stdout.fnmatch_lines(["report: *report.html"])


def test_leak(pytester: pytest.Pytester, opened: Opened) -> None:  # noqa: F811
    """What could not be removed makes the harness fail, and is named."""
    opened.platform.leaks = ["container mf-1-replica-1"]

    result = run(pytester, "held")

    assert result.ret == 7
    result.stdout.fnmatch_lines(["warning: leaked, *container mf-1-replica-1"])


@pytest.mark.usefixtures("opened")
def test_ordinary_failure_beside_scenarios(pytester: pytest.Pytester) -> None:
    """A test that is no scenario and fails is a failure, whatever the scenarios say."""
    result = run(pytester, "held", more="def test_plain():\n    assert False\n")

    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1


@pytest.mark.usefixtures("opened")
def test_engine_gone(pytester: pytest.Pytester) -> None:
    """When the engine goes the run stops, and it is the harness that failed."""
    result = run(pytester, "engine", "held")

    assert "passed" not in result.parseoutcomes()
    assert result.ret == 7


@pytest.mark.usefixtures("opened")
def test_expected_failure_beside_scenarios(pytester: pytest.Pytester) -> None:
    """A test that is no scenario and fails as expected is no failure."""
    plain = "@pytest.mark.xfail\ndef test_plain():\n    assert False\n"

    result = run(pytester, "held", more=plain)

    result.assert_outcomes(passed=1, xfailed=1)
    assert result.ret == 0
