"""What the pytest plugin leaves on disk while a run goes on, and where it does not end well."""

import signal
from pathlib import Path

import pytest

from harness.run import Run, load, save_so_far
from harness.underway import is_going_on, told
from tests.sessions import Opened, opened  # noqa: F401  # a fixture

CONFTEST = """
import pytest
from harness.session import Session
from tests.sessions import Opened

def pytest_configure(config):
    Session.open = Opened(config.rootpath)
"""
HEAD = """
import os, signal, time
from pathlib import Path
import pytest
from harness.contract import Outcome, Verdict
from harness.history import History
from harness.run import load
from harness.underway import is_going_on, told
from tests.clauses.histories import Story

RUN = Path("reports/latest").absolute()

def held(contract, name):
    history = Story(lasting_s=3.0).fleet(3).requests(rate_rps=50).told()
    contract.entry.history = history
    verdict = Verdict("T5", "promise", name, Outcome.HELD, 0, 0, "requests", "<=", "none failed")
    contract.entry.verdicts += (verdict,)

def test_first(experiment, contract):
    'The first.'
    held(contract, "test_first")

"""


def write(pytester: pytest.Pytester, body: str) -> None:
    """A suite whose second scenario does this; a third one is to come."""
    last = "def test_third(experiment, contract):\n    held(contract, 'test_third')\n"
    second = f"def test_second(experiment, contract):\n    {body}\n\n"
    pytester.makepyfile(HEAD + second + last)


def saved(pytester: pytest.Pytester) -> Run:
    """The run that was saved, by the link that leads to it."""
    return load(pytester.path / "reports" / "latest")


LOOK = """
    run = load(RUN)
    assert [(each.name, each.conclusion) for each in run.scenarios] == [("test_first", "judged")]
    assert len(run.scenarios[0].history.requests) == 150
    assert [each.id for each in run.verdicts] == ["T5"]
    assert (run.finished, run.planned, run.exit_status) == (False, 3, 2)
    assert is_going_on(RUN)
    experiment.progress.doing("looking")
    deadline_s = time.monotonic() + 10  # it is written by another thread
    while ((now := told(RUN)) is None or now.doing != "looking") and time.monotonic() < deadline_s:
        pass
    assert (now.scenario, now.to_come) == ("test_second", 1)
    held(contract, "test_second")
"""


@pytest.mark.usefixtures("opened")
def test_on_disk_before_the_next_one(pytester: pytest.Pytester) -> None:
    """A scenario finds the results of those before it on disk, and what is done now beside them."""
    write(pytester, LOOK.strip())

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(passed=3)
    run, directory = saved(pytester), pytester.path / "reports" / "latest"
    assert (run.finished, run.planned, run.exit_status, len(run.scenarios)) == (True, 3, 0, 3)
    assert sorted(each.name for each in directory.iterdir() if each.suffix != ".npz") == [
        "events.jsonl",
        "logs",
        "run.json",
    ]


@pytest.mark.usefixtures("opened")
def test_only_scenarios_are_planned(pytester: pytest.Pytester) -> None:
    """Tests that are no scenarios, and those that were not chosen, are not to come."""
    write(pytester, "held(contract, 'test_second')")
    pytester.makepyfile(test_other="def test_plain(): pass")

    pytester.runpytest_inprocess("-k", "not third")

    assert (saved(pytester).planned, len(saved(pytester).scenarios)) == (2, 2)


def test_killed(pytester: pytest.Pytester) -> None:
    """A run that was killed in its midst is there with all that was over, and says what it is."""
    pytester.makeconftest(CONFTEST)
    write(pytester, "os.kill(os.getpid(), signal.SIGKILL)")

    result = pytester.runpytest_subprocess("-p", "no:locust")

    run = saved(pytester)
    assert result.ret == -signal.SIGKILL
    assert not is_going_on(pytester.path / "reports" / "latest")
    assert (run.finished, run.exit_status, run.reach) == (False, 2, "1 of 3 scenarios is over")
    assert [(each.name, len(each.history.requests)) for each in run.scenarios] == [
        ("test_first", 150)
    ]


def test_interrupted(pytester: pytest.Pytester) -> None:
    """A run that was interrupted is saved whole, is not finished, and names where it was."""
    pytester.makeconftest(CONFTEST)
    write(pytester, "raise KeyboardInterrupt")

    result = pytester.runpytest_subprocess("-p", "no:locust")

    run, directory = saved(pytester), pytester.path / "reports" / "latest"
    assert (result.ret, run.exit_status, run.finished) == (2, 2, False)
    assert run.reach == "1 of 3 scenarios is over"
    assert [(each.name, each.conclusion) for each in run.scenarios] == [
        ("test_first", "judged"),
        ("test_second", "interrupted"),
    ]
    assert (directory / "requests.npz").exists()
    assert told(directory) is None
    assert not is_going_on(directory)


def test_disk_that_was_full_for_a_while(
    pytester: pytest.Pytester,
    opened: Opened,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be saved after a scenario is saved after the next one, and that is told."""
    tried: list[int] = []

    def save_but_once(run: Run, directory: Path, fresh: int) -> None:
        tried.append(fresh)
        if tried == [0, 1]:
            raise OSError(28, "No space left on device")
        save_so_far(run, directory, fresh)

    monkeypatch.setattr("harness.ledger.save_so_far", save_but_once)
    write(pytester, "held(contract, 'test_second')")

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(passed=3)
    assert tried == [0, 1, 2, 1]
    (session,) = opened.sessions
    assert session.ledger.warnings == [
        "could not be saved after test_first: [Errno 28] No space left on device"
    ]
