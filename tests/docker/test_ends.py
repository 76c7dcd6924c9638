"""However a run ends, it leaves nothing that the next one does not remove first."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import docker

from harness.errors import ExitStatus
from harness.session import heal
from tests.docker.workplace import (
    HOLDING_SUITE,
    PROJECT,
    SHORT_SUITE,
    Workplace,
    belongings,
    containers,
    wait_briefly,
)


def test_sigterm_in_mid_fault_leaves_nothing(
    workplace: Workplace, client: docker.DockerClient
) -> None:
    """A run that is asked to end in the middle of a fault removes all that it made."""
    workplace.write(HOLDING_SUITE)

    with workplace.in_mid_fault() as (process, run_id):
        assert containers(client, run_id)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output  # pytest's own status of an interrupted session
    assert belongings(client, run_id) == []


def test_sigkill_in_mid_fault_is_cleaned_up_by_the_next_run(
    workplace: Workplace, client: docker.DockerClient
) -> None:
    """A killed run leaves containers; a living one is spared, the dead one removed and named."""
    workplace.write(HOLDING_SUITE)
    with workplace.in_mid_fault() as (process, run_id):
        assert [each for each in heal() if each.run == run_id] == []
        assert process.poll() is None
        process.kill()
        process.communicate(timeout=60)
    left = belongings(client, run_id)
    assert left
    assert _generators_of(process.pid) == []

    workplace.write(SHORT_SUITE)
    status, output = workplace.run()

    assert status == ExitStatus.ALL_HELD, output
    assert "removed what an earlier run left behind: container" in output
    for name in left:
        assert name in output
    assert belongings(client, run_id) == []


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


def _generators_of(parent: int) -> list[str]:
    """Load generators that outlive their harness. They may take a moment to notice its end."""
    for _ in range(100):
        found = [
            each
            for each in Path("/proc").glob("[0-9]*/stat")
            if (fields := _fields(each)) and fields[3] == str(parent) and "python" in fields[1]
        ]
        alive = [str(each) for each in found] + _orphans()
        if not alive:
            return []
        wait_briefly()
    return alive


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
