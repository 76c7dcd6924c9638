"""The life of the generator process: it survives its server, and does not outlive its parent."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import LoadError
from harness.load.messages import Order, line
from harness.load.plan import Plan, RetryPolicy
from harness.load.process import LoadProcess
from harness.tables import CORRECT
from tests.load.offering import LIMIT_S, until
from tests.load.serving import Served

Plans = Callable[..., Plan]
UNAVAILABLE = 14


def test_a_server_that_dies_and_comes_back(plan: Plans, golden: Path, tmp_path: Path) -> None:
    """Requests fail as UNAVAILABLE while it is gone and succeed afterwards, by one generator."""
    with Served(golden) as first:
        here = plan(address=first.address, retry=RetryPolicy(attempts=1))
        with LoadProcess.spawn(here, tmp_path) as load:
            load.begin()
            until(load, lambda progress: progress.done >= 20)
            first.kill()
            down = until(load, lambda progress: progress.failed >= 20)
            before = down.done - down.failed
            with first.restart():
                until(load, lambda progress: progress.done - progress.failed >= before + 20)
                loaded = load.stop()

    assert set(loaded.requests["status"]) == {0, UNAVAILABLE}
    assert loaded.requests["status"][-1] == 0
    assert set(loaded.requests["correct"][loaded.requests["status"] == 0]) == {CORRECT}


def test_nobody_listens(plan: Plans, tmp_path: Path) -> None:
    """The error says that nobody listens, and no process stays behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound but not listening: nobody else takes the port
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(LoadError, match="nobody listens"):
            LoadProcess.spawn(plan(address=address), tmp_path, connect_s=0.3)


def test_who_listens_is_no_grpc_server(plan: Plans, tmp_path: Path) -> None:
    """A port that accepts and says nothing is told apart from a closed one."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(LoadError, match="does not answer as a gRPC server"):
            LoadProcess.spawn(plan(address=address), tmp_path, connect_s=0.3)


def test_a_missing_golden_file_is_named(plan: Plans, tmp_path: Path) -> None:
    """The generator's own complaint reaches the caller."""
    with pytest.raises(LoadError, match=r"missing\.npz"):
        LoadProcess.spawn(plan(golden=tmp_path / "missing.npz"), tmp_path)


@pytest.mark.usefixtures("server")
def test_a_generator_that_dies_is_an_error(plan: Plans, tmp_path: Path) -> None:
    """Its death is told with exit status and stderr, by progress and by stop."""
    with LoadProcess.spawn(plan(), tmp_path) as load:
        load.begin()
        until(load, lambda progress: progress.done > 0)
        (tmp_path / "load.stderr").write_text("its last words")
        os.kill(load.pid, signal.SIGKILL)
        with pytest.raises(LoadError, match=r"(?s)exit status -9.*its last words"):
            until(load, lambda _: False)
        with pytest.raises(LoadError, match="exit status -9"):
            load.stop()


@pytest.mark.usefixtures("server")
def test_the_generator_goes_with_its_parent(plan: Plans, tmp_path: Path) -> None:
    """A parent that is SIGKILLed in mid-run leaves no generator behind."""
    order = tmp_path / "order.json"
    order.write_bytes(line(Order(plan(), tmp_path, 10.0)))
    script = (
        "import sys, time; from pathlib import Path\n"
        "from harness.load.messages import order; from harness.load.process import LoadProcess\n"
        "told = order(Path(sys.argv[1]).read_bytes())\n"
        "load = LoadProcess.spawn(told.plan, told.directory); load.begin()\n"
        "while load.progress().done == 0: time.sleep(0.01)\n"
        "print(load.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(order)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        generator = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        gone, _, _ = select.select([generator], [], [], LIMIT_S)
        os.close(generator)

    assert gone


@pytest.mark.usefixtures("server")
def test_a_run_may_stop_before_it_begins(plan: Plans, tmp_path: Path) -> None:
    """Without begin nothing was planned, and nothing sent."""
    with LoadProcess.spawn(plan(), tmp_path) as load:
        loaded = load.stop()

    assert (loaded.generator.planned, len(loaded.requests), len(loaded.attempts)) == (0, 0, 0)
