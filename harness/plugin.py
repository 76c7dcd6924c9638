"""The pytest plugin: options, fixtures, outcomes, exit status; saves the run.

A test that asks for the fixture ``experiment`` is a scenario. The platform is started once for all
scenarios of a session, and removed at its end, whatever ends it.
"""

import random
import shlex
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from types import FrameType

import pytest

import harness
from harness import hooks, terminal
from harness.errors import EngineError, ExitStatus, MayflyError, UnprovenError
from harness.experiment import Experiment
from harness.history import History
from harness.judging import Contract
from harness.ledger import Entry, InconclusiveError
from harness.progress import Progress
from harness.session import Session
from harness.steady_state import UnhealthyError

_SESSION = pytest.StashKey[Session]()
_PROGRESS = pytest.StashKey[Progress]()
_SEED = pytest.StashKey[int]()
_ENTRY = pytest.StashKey[Entry]()
_SAVED = pytest.StashKey[Path]()
_INCONCLUSIVE = pytest.StashKey[dict[str, str]]()
"""Why a scenario could not be judged, by its node id."""
_OTHERS_FAILED = pytest.StashKey[bool]()
"""Whether a test failed that is no scenario."""
_UNJUDGED = (InconclusiveError, UnprovenError)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--seed`` repeats a run, ``--resilience`` names another configuration."""
    group = parser.getgroup("mayfly", "chaos and resilience of inference services")
    group.addoption("--seed", type=int, default=None, help="repeat the run with this seed")
    group.addoption(
        "--resilience",
        type=Path,
        default=None,
        metavar="TOML",
        help="what is tested (default: resilience.toml in the root directory)",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let other plugins hear of a finished run."""
    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Take hold of the terminal before it is captured, and settle the seed."""
    config.stash[_PROGRESS] = Progress.on_terminal()
    config.stash[_INCONCLUSIVE] = {}
    given: int | None = config.getoption("--seed")
    config.stash[_SEED] = random.SystemRandom().randrange(2**31) if given is None else given
    _refuse_patched_sockets()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the terminal."""
    config.stash[_PROGRESS].close()


def pytest_report_header(config: pytest.Config) -> str:
    """The seed that repeats the run."""
    return f"mayfly {harness.__version__}: --seed {config.stash[_SEED]}"


@pytest.fixture(scope="session")
def mayfly_session(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Session:
    """What all scenarios share: opened by the first, closed when the session finishes."""
    _turn_sigterm_into_interrupt()
    named: Path | None = pytestconfig.getoption("--resilience")
    path = named or pytestconfig.rootpath / "resilience.toml"
    progress = pytestconfig.stash[_PROGRESS]
    try:
        session = Session.open(path, pytestconfig.stash[_SEED], progress)
    except MayflyError as error:
        progress.done()
        pytest.exit(f"mayfly: {error}", returncode=ExitStatus.HARNESS_FAILED)
    if named is not None:
        session.ledger.options = f" --resilience {shlex.quote(str(named))}"
    pytestconfig.stash[_SESSION] = session
    session.begin(sum(_is_scenario(item) for item in request.session.items))
    return session


@pytest.fixture
def experiment(request: pytest.FixtureRequest, mayfly_session: Session) -> Iterator[Experiment]:
    """One scenario: load, disturbances, observation."""
    node: pytest.Item = request.node
    entry = Entry(node.name, _title(node), node.nodeid, History(node.name, 0.0, 0.0))
    node.stash[_ENTRY] = entry
    scenario = mayfly_session.scenario(entry)
    yield scenario
    if not entry.history.ended_s:
        entry.history = scenario.history()
    if not entry.verdicts and entry.conclusion != "left out":
        mayfly_session.ledger.judge_aborted(entry)
    mayfly_session.finish(scenario, entry)


@pytest.fixture
def contract(
    request: pytest.FixtureRequest, mayfly_session: Session, experiment: Experiment
) -> Contract:
    """The promises that the scenario has to hold."""
    return Contract(mayfly_session.ledger, request.node.stash[_ENTRY], experiment.history)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Save the run as it stands when a scenario is over, its teardown too."""
    result = yield
    opened, entry = item.config.stash.get(_SESSION, None), item.stash.get(_ENTRY, None)
    if opened is not None and entry is not None:
        opened.keep(entry)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give scenarios the outcomes that pytest does not know: unhealthy and inconclusive."""
    report = yield
    entry = item.stash.get(_ENTRY, None)
    if entry is not None and report.skipped:
        entry.conclusion, entry.message = "left out", str(call.excinfo and call.excinfo.value)
    if call.excinfo is None or not report.failed:
        return report  # passed, skipped, or expected to fail
    if entry is None:
        item.config.stash[_OTHERS_FAILED] = True
        return report
    errors = _flat(call.excinfo.value)
    if all(isinstance(error, UnhealthyError) for error in errors):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"unhealthy: {errors[0]}")
        entry.conclusion, entry.message = "skipped", str(errors[0])
    elif all(isinstance(error, _UNJUDGED) for error in errors):
        item.config.stash[_INCONCLUSIVE][report.nodeid] = "\n".join(map(str, errors))
        if isinstance(errors[0], UnprovenError):
            entry.conclusion, entry.message = "inconclusive", str(errors[0])
    else:
        _conclude_failure(item, entry, errors)
    return report


def _flat(error: BaseException) -> list[BaseException]:
    """The errors in a group, or the one that is alone."""
    if isinstance(error, BaseExceptionGroup):
        return [each for inner in error.exceptions for each in _flat(inner)]
    return [error]


def _conclude_failure(item: pytest.Item, entry: Entry, errors: list[BaseException]) -> None:
    told = "; ".join(f"{type(error).__name__}: {error}" for error in errors)
    entry.conclusion, entry.message = "failed", told
    opened = item.config.stash.get(_SESSION, None)
    if opened is not None and any(isinstance(error, MayflyError) for error in errors):
        opened.ledger.harness_failed = True
    if any(isinstance(error, EngineError) for error in errors):
        item.session.shouldstop = "the Docker engine is gone"


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """Inconclusive is neither passed nor failed."""
    if report.when != "call" or report.nodeid not in config.stash[_INCONCLUSIVE]:
        return None
    return "inconclusive", "?", "INCONCLUSIVE"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remove the platform, save the run, let the report be made, tell by exit status."""
    opened = session.config.stash.get(_SESSION, None)
    if opened is None:
        return
    ours = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or session.shouldstop
    others_failed = session.config.stash.get(_OTHERS_FAILED, False)
    run, status = opened.close(None if ours else int(exitstatus), others_failed=others_failed)
    session.config.hook.pytest_mayfly_run_saved(run=run, directory=opened.directory)
    session.config.stash[_SAVED] = opened.directory
    session.exitstatus = status


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What could not be judged, and where the report is."""
    for node_id, why in config.stash[_INCONCLUSIVE].items():
        terminalreporter.section(f"inconclusive: {node_id}", sep="_")
        terminalreporter.line(why)
    opened = config.stash.get(_SESSION, None)
    saved = config.stash.get(_SAVED, None)
    if opened is None or saved is None:
        return
    terminalreporter.section("resilience", sep="=")
    for warning in opened.ledger.warnings:
        terminalreporter.line(f"warning: {warning}")
    verdicts = [verdict for entry in opened.ledger.entries for verdict in entry.verdicts]
    for line in terminal.lines(verdicts, each=config.get_verbosity() > 0):
        terminalreporter.line(line)
    terminalreporter.line(f"report: {saved / 'report.html'}")


def _is_scenario(item: pytest.Item) -> bool:
    return "experiment" in getattr(item, "fixturenames", ())


def _title(node: pytest.Item) -> str:
    """The promise in words: the test's docstring, or its name where it has none."""
    text = getattr(getattr(node, "obj", None), "__doc__", None) or node.name
    return " ".join(text.split())


def _refuse_patched_sockets() -> None:
    """Sockets of gevent, which importing Locust brings, make all that is measured wrong."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("socket"):
        pytest.exit(
            "mayfly: expected Python's own sockets in this process, but gevent has replaced them, "
            "as importing locust does; add -p no:locust to the options of pytest, and import "
            "locust in no conftest.py and no plugin (Mayfly runs Locust in a process of its own)",
            returncode=ExitStatus.HARNESS_FAILED,
        )


def _turn_sigterm_into_interrupt() -> None:
    """Being asked to end is no reason to leave containers behind."""
    if threading.current_thread() is not threading.main_thread():
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: let the clean-up finish
        raise KeyboardInterrupt("SIGTERM")

    signal.signal(signal.SIGTERM, interrupt)
