"""nginx in a container: started with the routes of the moment, told of each change by a reload."""

import http.client
import random
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from harness import nginx
from harness.errors import PlatformError
from harness.platforms.containers import LOOPBACK, Container, Spec
from harness.settings import Balancer as Settings

_FOLDER = "/etc/mayfly"
_TIMEOUT_S = 10.0
_PORTS = range(20_000, 32_000)  # below the ports that the system gives to outgoing connections


def free_port(choice: random.Random) -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    for port in choice.sample(_PORTS, 200):
        with socket.socket() as attempt:
            try:
                attempt.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise PlatformError(
        f"no free port on {LOOPBACK} among 200 tried from {_PORTS[0]} to {_PORTS[-1]}"
    )


class NginxBalancer:
    """One running nginx. Thread-safe: routes may change while an earlier change is awaited."""

    def __init__(
        self,
        spec: Spec,
        folder: Path,
        routes: Sequence[nginx.Route],
        settings: Settings,
        fleet: int,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._file = folder / "nginx.conf"
        self._logs = folder / "logs"
        self._logs.mkdir()
        self._logs.chmod(0o777)  # nginx writes there as the user that its image names
        self._lock = threading.Lock()
        self._generation = 0
        self._write(routes)
        inside = str(PurePosixPath(nginx.LOG).parent)
        self._container = Container(
            replace(spec, folders={str(folder): _FOLDER}, written={str(self._logs): inside})
        )

    @property
    def container(self) -> Container:
        """Where it runs."""
        return self._container

    def start(self) -> None:
        """Start it, and return when it serves."""
        self._container.start()
        self.await_generation(0)

    def route(self, routes: Sequence[nginx.Route]) -> int:
        """Tell it whom to send calls to; returns the generation to await."""
        with self._lock:
            self._generation += 1
            self._write(routes)
            self._container.kill("SIGHUP")
            return self._generation

    def access_lines(self, since_s: float) -> Sequence[bytes]:
        """What it logged of calls since an instant of the wall clock."""
        path = self._logs / PurePosixPath(nginx.LOG).name
        lines = path.read_bytes().splitlines() if path.exists() else []
        return nginx.written_since(lines, since_s)

    def await_generation(self, generation: int) -> None:
        """Return when new connections meet this generation of routes, or a later one."""
        port = self._container.published(nginx.STATUS_PORT)
        deadline_s = time.monotonic() + _TIMEOUT_S
        pause = threading.Event()
        seen = "no answer"
        while time.monotonic() < deadline_s and self._container.lives[-1].end is None:
            seen = _generation_at(port)
            if seen.isdigit() and int(seen) >= generation:
                return
            pause.wait(0.02)
        log = self._container.output(lines=5).decode(errors="replace")
        raise PlatformError(
            f"{self._container.name} did not take over routes {generation} within {_TIMEOUT_S:g} s "
            f"(it answers {seen!r}); its last lines:\n{log}"
        )

    def in_flight(self) -> int | None:
        """How many calls it has under way, by its own count; None: it gave no answer."""
        try:
            return nginx.in_flight(_asked(self._container.published(nginx.STATUS_PORT), "/status"))
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def _write(self, routes: Sequence[nginx.Route]) -> None:
        text = nginx.configuration(routes, self._generation, self._settings, self._fleet)
        partial = self._file.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(self._file)


def _generation_at(port: int) -> str:
    """What /generation answers, or what kept it from answering."""
    try:
        return _asked(port, "/generation").decode("ascii", "replace")
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def _asked(port: int, path: str) -> bytes:
    """What the status port answers on a new connection: a kept one would meet the old worker."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
