"""A folder with a resilience.toml and a suite of its own, and runs of pytest in it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from harness.platforms.ownership import RUN

PROJECT = Path(__file__).parents[2]
_START_TIMEOUT_S = 90.0
_END_TIMEOUT_S = 90.0

_HOLDING_SUITE = '''
"""A scenario that says when it is in mid-fault, and stays there."""
from pathlib import Path

from {module} import {fault}


def test_hold(experiment, contract):
    """Stays in a fault until somebody ends it."""
    with experiment.under_load(rate_rps=50):
        with experiment.inject({planned}):
            Path("run-id").write_text(experiment.platform.grounds.blueprint.run_id)
            experiment.observe(60)
'''


def holding(module: str, fault: str, planned: str) -> str:
    """A suite whose only scenario stays in the middle of one fault."""
    return _HOLDING_SUITE.format(module=module, fault=fault, planned=planned)


HOLDING_SUITE = holding("faults.containers", "kill", "kill(experiment.any_replica())")

SHORT_SUITE = '''
"""A scenario that is over soon."""


def test_short(experiment, contract):
    """Answers are right where nothing is disturbed."""
    with experiment.under_load(rate_rps=100):
        experiment.steady(1)
    contract.must_hold("M1")
'''


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a user of the harness would sit."""

    folder: Path

    def write(self, suite: str, changes: Mapping[str, str] | None = None) -> None:
        """The project's own resilience.toml, with lines changed, and a suite beside it."""
        text = (PROJECT / "resilience.toml").read_text()
        text = text.replace('"service_under_test', f'"{PROJECT}/service_under_test')
        text = text.replace("replicas = 3", "replicas = 2")
        for before, after in (changes or {}).items():
            assert before in text, f"resilience.toml has no line {before!r} to change"
            text = text.replace(before, after)
        (self.folder / "resilience.toml").write_text(text)
        (self.folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
        (self.folder / "test_suite.py").write_text(suite)

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Begin a run."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> tuple[int, str]:
        """A whole run: exit status and output."""
        process = self.start()
        output, _ = process.communicate(timeout=_START_TIMEOUT_S + _END_TIMEOUT_S)
        return process.returncode, output

    @contextmanager
    def in_mid_fault(self, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """A run that is in the middle of a fault, and its id; ended when the block is left."""
        marker = self.folder / "run-id"
        marker.unlink(missing_ok=True)
        process = self.start(**environment)
        try:
            deadline_s = time.monotonic() + _START_TIMEOUT_S
            while not (marker.exists() and marker.read_text()):
                if process.poll() is not None or time.monotonic() > deadline_s:
                    process.kill()
                    raise AssertionError(f"no fault was reached:\n{process.communicate()[0]}")
                wait_briefly()
            yield process, marker.read_text()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=_END_TIMEOUT_S)


def wait_briefly() -> None:
    """What is awaited is another process's doing, and it sends no event."""
    time.sleep(0.05)


def containers(client: docker.DockerClient, run_id: str) -> list[str]:
    """Names of the containers of a run, running or not."""
    found = client.containers.list(
        all=True, filters={"label": f"{RUN}={run_id}"}, ignore_removed=True
    )
    return sorted(str(each.name) for each in found)


def belongings(client: docker.DockerClient, run_id: str) -> list[str]:
    """Names of everything of a run."""
    label = {"label": f"{RUN}={run_id}"}
    return sorted(
        [
            *containers(client, run_id),
            *(str(each.name) for each in client.networks.list(filters={**label})),
            *(str(each.name) for each in client.volumes.list(filters={**label})),
        ]
    )
