"""The Docker engine: reach it, and where none answers, install and start it."""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException

from harness.errors import EngineError

REQUEST_TIMEOUT_S = 20.0
_START_TIMEOUT_S = 60.0
_LOG = Path("/var/log/dockerd.log")

Say = Callable[[str], None]


def connect(timeout_s: float = REQUEST_TIMEOUT_S) -> docker.DockerClient:
    """A client of the engine that the environment names. Raises EngineError where none answers."""
    try:
        client = docker.from_env(timeout=int(timeout_s))
        client.ping()
    except (DockerException, OSError) as error:
        raise EngineError(
            f"expected a Docker engine at {os.environ.get('DOCKER_HOST', 'its default socket')}, "
            f"but none answered ({_first_line(error)}). Start it, or run: "
            f"{' && '.join(_commands())}"
        ) from error
    return client


def ensure(say: Say) -> docker.DockerClient:
    """A client of a running engine; as root on Debian or Ubuntu it is installed if need be."""
    try:
        return connect()
    except EngineError:
        if "DOCKER_HOST" in os.environ or not _may_install():
            raise
    if shutil.which("dockerd") is None:
        say("no Docker engine answers: installing docker.io from Debian's packages")
        _install("docker.io", "iptables")
    _remove_stale_pid_file()
    say("no Docker engine runs: starting dockerd")
    _start()
    return _await_engine()


def install_packages(say: Say, *packages: str) -> None:
    """Install Debian packages as root; elsewhere raise EngineError with the command to run."""
    if not _may_install():
        raise EngineError(
            f"expected the packages {' '.join(packages)} on this machine; install them: "
            f"sudo apt-get install {' '.join(packages)}"
        )
    say(f"installing {' '.join(packages)} from Debian's packages")
    _install(*packages)


def _may_install() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _commands() -> tuple[str, ...]:
    if shutil.which("apt-get"):
        return ("sudo apt-get install --yes docker.io iptables", "sudo systemctl start docker")
    if platform.system() == "Darwin":
        return ("brew install --cask docker", "open -a Docker")
    return ("install Docker Engine for this system", "sudo systemctl start docker")


def _install(*packages: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineError(
                f"`{' '.join(command)}` ended with status {done.returncode}:\n{done.stderr[-800:]}"
            )


def _remove_stale_pid_file() -> None:
    """An engine that was ended uncleanly leaves a pid file that stops the next one."""
    path = Path("/var/run/docker.pid")
    try:
        os.kill(int(path.read_text()), 0)
    except FileNotFoundError:
        return
    except (ValueError, ProcessLookupError):
        path.unlink(missing_ok=True)


def _start() -> None:
    """Start dockerd as a service where services are managed, else in a session of its own."""
    if Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "start", "docker"], check=False, capture_output=True)
        return
    with _LOG.open("ab") as log:
        subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _await_engine() -> docker.DockerClient:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            return connect()
        except EngineError as error:
            if time.monotonic() > deadline_s:
                tail = _LOG.read_text(errors="replace")[-800:] if _LOG.exists() else "(no log)"
                raise EngineError(
                    f"dockerd was started, but did not answer within {_START_TIMEOUT_S:g} s. "
                    f"The end of {_LOG}:\n{tail}"
                ) from error
        time.sleep(0.2)  # the engine offers nothing to wait on before its socket exists


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
