"""Reaching a Docker engine, and what is said and done where none answers."""

import gc
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import docker
import pytest

from harness import engine
from harness.errors import EngineError

NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``ensure`` does to the machine, noted instead of done; the engine never answers."""
    steps: list[str] = []

    def refuse() -> docker.DockerClient:
        raise EngineError("nobody answers")

    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine, "connect", refuse)
    monkeypatch.setattr(engine, "_may_install", lambda: True)
    monkeypatch.setattr(engine, "_install", lambda *names: steps.append(f"install {names}"))
    monkeypatch.setattr(engine, "_remove_stale_pid_file", lambda: steps.append("pid file"))
    monkeypatch.setattr(engine, "_start", lambda: steps.append("start"))
    monkeypatch.setattr(engine, "_await_engine", lambda: steps.append("await"))
    return steps


def ignore(_what: str) -> None:
    """Stands for a person who does not look."""


def refusal(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    """What is said when the engine at this address is asked for."""
    monkeypatch.setenv("DOCKER_HOST", address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # docker-py forgets a socket of its own
        with pytest.raises(EngineError) as caught:
            engine.connect()
        said = str(caught.value)
        del caught
        gc.collect()
    return said


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the address that was tried, and the command that starts an engine."""
    said = refusal(monkeypatch, NOWHERE)

    assert f"expected a Docker engine at {NOWHERE}" in said
    assert "Start it, or run: " in said
    assert "docker" in said.partition("run: ")[2].lower()
    assert "\n" not in said


def test_nonsense_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is none is an EngineError too."""
    assert "expected a Docker engine at nonsense://x y" in refusal(monkeypatch, "nonsense://x y")


def test_named_engine_is_left_alone(monkeypatch: pytest.MonkeyPatch, done: list[str]) -> None:
    """Where the environment names an engine, none is installed or started in its place."""
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)

    with pytest.raises(EngineError):
        engine.ensure(ignore)

    assert done == []


def test_foreign_machine_is_left_alone(monkeypatch: pytest.MonkeyPatch, done: list[str]) -> None:
    """Where nothing may be installed, nothing is, and the error stands."""
    monkeypatch.setattr(engine, "_may_install", lambda: False)

    with pytest.raises(EngineError, match="nobody answers"):
        engine.ensure(ignore)

    assert done == []


@pytest.mark.parametrize("dockerd", [None, "/usr/bin/dockerd"])
def test_starts_an_engine(
    monkeypatch: pytest.MonkeyPatch, done: list[str], dockerd: str | None
) -> None:
    """It is installed only if it is missing; each step is said before it is done."""
    monkeypatch.setattr(shutil, "which", lambda _name: dockerd)
    said: list[str] = []

    engine.ensure(said.append)

    install = [] if dockerd else ["install ('docker.io', 'iptables')"]
    assert done == [*install, "pid file", "start", "await"]
    assert len(said) == len(install) + 1


def test_failed_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package manager that fails is told with its command and its last words."""
    failed = subprocess.CompletedProcess(["apt-get"], 100, "", "E: no such package")
    monkeypatch.setattr(subprocess, "run", lambda *_words, **_options: failed)

    with pytest.raises(EngineError, match=r"(?s)`apt-get update.*status 100.*E: no such package"):
        engine._install("docker.io")


def test_packages_on_a_foreign_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where packages may not be installed, the error is the command to run."""
    monkeypatch.setattr(engine, "_may_install", lambda: False)

    with pytest.raises(EngineError, match="sudo apt-get install mmdebstrap"):
        engine.install_packages(ignore, "mmdebstrap")


@pytest.fixture
def pid_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place for the pid file that is no engine's."""
    path = tmp_path / "docker.pid"
    monkeypatch.setattr(engine, "Path", lambda _name: path)
    return path


def ended_process() -> int:
    """The id of a process that has ended, and that nobody has been given since."""
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


def test_pid_file_of_a_living_engine_stays(pid_file: Path) -> None:
    """The pid file of a process that lives is not touched."""
    pid_file.write_text(str(os.getpid()))

    engine._remove_stale_pid_file()

    assert pid_file.exists()


def test_pid_file_of_a_dead_engine_goes(pid_file: Path) -> None:
    """A pid file whose process is gone is removed."""
    pid_file.write_text(str(ended_process()))

    engine._remove_stale_pid_file()

    assert not pid_file.exists()


@pytest.mark.parametrize("text", ["", "not a number"])
def test_damaged_pid_file_goes(pid_file: Path, text: str) -> None:
    """A pid file without a process id is removed."""
    pid_file.write_text(text)

    engine._remove_stale_pid_file()

    assert not pid_file.exists()


def test_no_pid_file(pid_file: Path) -> None:
    """That there is no pid file is no error."""
    engine._remove_stale_pid_file()

    assert not pid_file.exists()
