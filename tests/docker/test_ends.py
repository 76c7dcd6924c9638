"""However a run ends, it leaves nothing that the next one does not remove first."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import docker
import pytest

from harness.errors import ExitStatus
from harness.session import heal
from tests.docker.workplace import (
    HOLDING_SUITE,
    PROJECT,
    SHORT_SUITE,
    Workplace,
    belongings,
    containers,
    holding,
    wait_briefly,
)

FAMILIES = {
    "containers": holding("faults.containers", "pause", "pause(experiment.any_replica())"),
    "storage": holding(
        "faults.storage", "slow", 'slow(experiment.storage_path("database"), latency_ms=50)'
    ),
    "readiness": holding(
        "faults.readiness", "answer_unready", "answer_unready(experiment.any_replica())"
    ),
    "traffic": holding("faults.traffic", "surge", "surge(experiment.load(), rate_rps=100)"),
}
"""One fault of each family, held in the middle of it."""


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_end_in_mid_fault_leaves_nothing(
    family: str, ended_by: signal.Signals, workplace: Workplace, client: docker.DockerClient
) -> None:
    """Asked to end or killed in the middle of any family of fault, a run leaves nothing behind."""
    workplace.write(FAMILIES[family])

    with workplace.in_mid_fault() as (process, run_id):
        assert containers(client, run_id)
        process.send_signal(ended_by)
        output, _ = process.communicate(timeout=60)

    if ended_by == signal.SIGTERM:
        assert process.returncode == 2, output  # pytest's own status of an interrupted session
        assert belongings(client, run_id) == []
    assert _until_empty(lambda: belongings(client, run_id)) == []
    assert _until_empty(lambda: _generators_of(process.pid)) == []
    assert _until_empty(lambda: _on_this_machine(run_id)) == []


def test_a_run_and_its_reaper_killed_are_cleaned_up_by_the_next_run(
    workplace: Workplace, client: docker.DockerClient
) -> None:
    """A living run is spared; of a dead one each open fault is undone, each container removed."""
    workplace.write(FAMILIES["containers"])
    with workplace.in_mid_fault() as (process, run_id):
        assert [each for each in heal() if each.run == run_id] == []
        assert process.poll() is None
        os.kill(_reaper_of(run_id), signal.SIGKILL)
        process.kill()
        process.communicate(timeout=60)
    left = belongings(client, run_id)
    assert left

    workplace.write(SHORT_SUITE)
    status, output = workplace.run()

    assert status == ExitStatus.ALL_HELD, output
    assert "undid what an earlier run left behind: fault 'pause' of replica-" in output
    assert "removed what an earlier run left behind: container" in output
    for name in left:
        assert name in output
    assert belongings(client, run_id) == []
    assert _on_this_machine(run_id) == []


def test_containers_killed_by_hand_end_the_run_and_leave_nothing(
    workplace: Workplace, client: docker.DockerClient
) -> None:
    """Someone else's `docker kill` of everything is no reason to hang or to leave anything."""
    workplace.write(HOLDING_SUITE.replace("observe(60)", "observe(3)"))

    with workplace.in_mid_fault() as (process, run_id):
        for name in containers(client, run_id):
            _kill(client, name)
        output, _ = process.communicate(timeout=90)

    assert process.returncode not in (0, 2), output
    assert belongings(client, run_id) == []


def test_an_engine_that_is_lost_in_mid_run_is_told_once(
    workplace: Workplace, client: docker.DockerClient
) -> None:
    """Status 7 and one clear error; what stays behind is removed when the engine is back."""
    workplace.write(HOLDING_SUITE)
    listen = str(workplace.folder / "engine.sock")
    target = str(client.api.base_url).removeprefix("http+unix://").replace("localhost", "")
    target = target if Path(target).exists() else "/var/run/docker.sock"
    forward = [sys.executable, str(PROJECT / "tests" / "docker" / "forward.py"), listen, target]
    forwarder = subprocess.Popen(forward)
    try:
        while not Path(listen).exists():
            wait_briefly()
        with workplace.in_mid_fault(DOCKER_HOST=f"unix://{listen}") as (process, run_id):
            forwarder.kill()
            output, _ = process.communicate(timeout=90)
    finally:
        forwarder.kill()
        forwarder.wait()

    assert process.returncode == ExitStatus.HARNESS_FAILED, output
    assert "the Docker engine" in output
    assert "INTERNALERROR" not in output
    assert belongings(client, run_id)

    assert run_id in {each.run for each in heal()}
    assert belongings(client, run_id) == []


def _kill(client: docker.DockerClient, name: str) -> None:
    with suppress(docker.errors.APIError):  # it had ended by itself
        client.containers.get(name).kill()


def _until_empty(look: Callable[[], list[str]], within_s: float = 20.0) -> list[str]:
    """What is still there when it ought to be gone: others need a moment to notice an end."""
    deadline_s = time.monotonic() + within_s
    while (left := look()) and time.monotonic() < deadline_s:
        wait_briefly()
    return left


def _on_this_machine(run_id: str) -> list[str]:
    """The run's lock, folder and journal."""
    home = Path(tempfile.gettempdir()) / f"mayfly-{os.getuid()}"
    return sorted(str(each) for each in home.glob(f"{run_id}.*"))


def _reaper_of(run_id: str) -> int:
    """The process id of the reaper of a run."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if each.read_bytes().split(b"\0")[-3:-1] == [b"harness.reaper", run_id.encode()]:
                return int(each.parent.name)
    raise AssertionError(f"{run_id} has no reaper")


def _generators_of(parent: int) -> list[str]:
    """Load generators that outlive their harness."""
    found = [
        each
        for each in Path("/proc").glob("[0-9]*/stat")
        if (fields := _fields(each)) and fields[3] == str(parent) and "python" in fields[1]
    ]
    return [str(each) for each in found] + _orphans()


def _orphans() -> list[str]:
    """Load generators whose parent is the system's first process."""
    result = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = each.read_bytes().split(b"\0")
        except OSError:
            continue
        fields = _fields(each.parent / "stat")
        if b"harness.load" in command and fields and fields[3] == "1":
            result.append(str(each))
    return result


def _fields(stat: Path) -> list[str]:
    try:
        return stat.read_text().split()
    except OSError:
        return []
