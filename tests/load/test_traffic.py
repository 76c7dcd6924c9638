"""Faults of traffic on a real server: what they do to it, and that it is over afterwards."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from faults.traffic import retry_storm, slow_readers, surge
from harness.errors import FaultError, UnprovenError
from harness.fault import Injection, Planned
from harness.history import FaultRecord
from harness.load.offering import Offering, RunningLoad
from harness.load.plan import Plan
from harness.load.process import LoadProcess
from harness.load.single import call
from harness.load.slow_readers import SlowReaders
from harness.platform import Target
from harness.recorder import Recorder
from tests.load.offering import until
from tests.load.serving import Served

Plans = Callable[..., Plan]


@dataclass(frozen=True)
class Door:
    """The server as the target that a balancer is to a fault."""

    name: str = "server"

    def is_running(self) -> bool:
        """Be there."""
        return True

    def answers(self) -> bool:
        """Answer."""
        return True

    def identity(self) -> str:
        """Stay the same."""
        return "1"

    def successor_is_ready(self) -> bool:
        """Have none."""
        return False

    def logs(self, lines: int) -> str:
        """Say nothing."""
        return "" * lines


class Deaf(RunningLoad):
    """A load that nothing can be told."""

    def set_rate(self, rate_rps: float) -> float:
        """Do nothing."""
        return rate_rps


@contextmanager
def injected(planned: Planned, patience_s: float | None = None) -> Iterator[list[FaultRecord]]:
    """Inject a fault; what is known of it is in the list once the block is left."""
    injection = replace(Injection.of(planned, "test", [], Recorder()), patience_s=patience_s)
    records: list[FaultRecord] = []
    with injection.hold():
        yield records
    records.append(injection.record)


def effect(record: FaultRecord) -> float:
    """What the first proof of the effect measured."""
    measured = record.proof.effect[0].measured
    assert measured is not None
    return measured


def restored(record: FaultRecord) -> float:
    """What the first proof of the restoration measured."""
    measured = record.proof.restored[0].measured
    assert measured is not None
    return measured


@pytest.fixture
def engine() -> str:
    """Name the faster of the engines: these faults know nothing of engines."""
    return "http2"


def test_a_running_load_is_a_target(server: Served, plan: Plans, tmp_path: Path) -> None:
    """It lives and answers as long as its process does, and nobody takes its place."""
    with LoadProcess.spawn(plan(id_prefix="main-"), tmp_path) as process:
        load = RunningLoad(process)
        process.begin()
        until(process, lambda progress: progress.done > 0)
        assert isinstance(load, Target)
        assert isinstance(load, Offering)
        assert (load.name, load.identity()) == ("load main", str(process.pid))
        assert load.is_running()
        assert load.answers()
        assert not load.successor_is_ready()
        (tmp_path / "load.stderr").write_text("one\ntwo\nthree\n")
        assert load.logs(2) == "two\nthree"
        process.end()

        assert not load.is_running()
        assert not load.answers()
    assert server.port


@pytest.mark.parametrize("schedule", ["constant", "poisson"])
def test_a_surge_reaches_the_server(
    server: Served, plan: Plans, tmp_path: Path, schedule: str
) -> None:
    """While it lasts the server is asked three times as often, as it counts itself."""
    with LoadProcess.spawn(plan(rate_rps=150.0, schedule=schedule), tmp_path) as process:
        load = RunningLoad(process)
        process.begin()
        until(process, lambda progress: progress.done > 0)
        with injected(surge(load, rate_rps=450.0)) as records:
            began_s, began = time.monotonic(), server.count()[0]
            until(process, lambda progress: progress.at_s > began_s + 1.0)
            surged_rps = (server.count()[0] - began) / (time.monotonic() - began_s)
        loaded = process.stop()

    assert surged_rps == pytest.approx(450.0, rel=0.2)
    assert effect(records[0]) == pytest.approx(450.0, rel=0.2)
    assert restored(records[0]) == pytest.approx(150.0, rel=0.2)
    assert [change.rate_rps for change in loaded.generator.rate_changes] == [450.0, 150.0]


@pytest.mark.usefixtures("server")
def test_a_surge_that_does_nothing_is_unproven(plan: Plans, tmp_path: Path) -> None:
    """A load that cannot be told another rate is found out, even if the other rate is near."""
    with LoadProcess.spawn(plan(rate_rps=150.0, schedule="poisson"), tmp_path) as process:
        process.begin()
        until(process, lambda progress: progress.done > 0)
        with (
            pytest.raises(UnprovenError, match="surge"),
            injected(surge(Deaf(process), rate_rps=250.0), patience_s=3.0),
        ):
            pytest.fail("it was taken for a surge")


@pytest.mark.usefixtures("server")
def test_a_surge_that_is_none_is_refused(plan: Plans, tmp_path: Path) -> None:
    """Another rate is needed, and one that can be meant."""
    with LoadProcess.spawn(plan(), tmp_path) as process:
        process.begin()
        with pytest.raises(FaultError, match="rate_rps"):
            surge(RunningLoad(process), rate_rps=-1.0)
        with (
            pytest.raises(FaultError, match="another rate than 200"),
            injected(surge(RunningLoad(process), rate_rps=200.0)),
        ):
            pytest.fail("it was taken for a surge")


def test_a_retry_storm_multiplies_attempts(server: Served, plan: Plans) -> None:
    """The server sees several attempts a call while it lasts, and none once it is healed."""
    server.behave("silent")
    before = server.count()
    with injected(retry_storm(Door(), plan(rate_rps=50.0, id_prefix="storm-"), 4)) as records:
        pass
    after = server.count()

    calls, attempts = (late - early for late, early in zip(after, before, strict=True))
    assert attempts / calls >= 2.5
    assert 2.5 <= effect(records[0]) <= 4
    assert server.count() == after


def test_a_storm_that_meets_quick_answers_is_unproven(server: Served, plan: Plans) -> None:
    """Callers who are answered in time do not retry: that is no storm, and is not called one."""
    calm = plan(rate_rps=50.0, id_prefix="calm-")
    with (
        pytest.raises(UnprovenError, match="attempts"),
        injected(retry_storm(Door(), calm, 4, patience_ms=1500.0), patience_s=1.0),
    ):
        pytest.fail("it was taken for a storm")
    assert server.port


def test_slow_readers_are_held_and_let_go(server: Served, plan: Plans) -> None:
    """Each stream has its answer's headers and no message; healing ends with no connection."""
    callers = plan(id_prefix="slow-")
    before = server.count()[0]
    with injected(slow_readers(Door(), callers, connections=3, streams=5)) as records:
        assert server.count()[0] - before == 15
        assert [each.status for each in call(plan(id_prefix="other-"), 2.0)] == [0]

    assert effect(records[0]) == 15
    assert restored(records[0]) == 0


def test_who_reads_is_no_slow_reader(server: Served, plan: Plans) -> None:
    """Calls that are refused hold nothing, so the fault is unproven."""
    server.behave("unavailable")
    with (
        pytest.raises(UnprovenError, match="do not read"),
        injected(slow_readers(Door(), plan(id_prefix="slow-"), 1, 2), patience_s=0.5),
    ):
        pytest.fail("refused calls were taken for held ones")


def test_slow_readers_leave_nothing_open(server: Served, plan: Plans) -> None:
    """Leaving the block without healing closes every connection, too."""
    with SlowReaders(plan(id_prefix="slow-"), 2, 2) as readers:
        readers.open()
        assert readers.connected() == 2
    assert readers.connected() == 0
    assert server.port
