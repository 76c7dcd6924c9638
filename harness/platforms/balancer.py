"""nginx in a container: started with the routes of the moment, told of each change by a reload."""

import random
import socket
import threading
import time
from collections.abc import Callable, Sequence

import httpx

from harness import nginx
from harness.errors import PlatformError
from harness.platforms.containers import LOOPBACK, Container, Spec
from harness.settings import Balancer as Timeouts

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
        self, make_spec: Callable[[str], Spec], routes: Sequence[nginx.Route], timeouts: Timeouts
    ) -> None:
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._generation = 0
        self._container = Container(make_spec(nginx.configuration(routes, 0, timeouts)))

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
            text = nginx.configuration(routes, self._generation, self._timeouts)
            self._container.write(_FOLDER, "nginx.conf", text.encode())
            self._container.kill("SIGHUP")
            return self._generation

    def await_generation(self, generation: int) -> None:
        """Return when new connections meet this generation of routes, or a later one."""
        url = f"http://{LOOPBACK}:{self._container.published(nginx.STATUS_PORT)}/generation"
        deadline_s = time.monotonic() + _TIMEOUT_S
        pause = threading.Event()
        seen = "no answer"
        while time.monotonic() < deadline_s:
            try:
                # A new connection each time: a kept one would stay with the old worker.
                seen = httpx.get(url, timeout=1.0, trust_env=False).text
            except httpx.HTTPError as error:
                seen = type(error).__name__
            if seen.isdigit() and int(seen) >= generation:
                return
            pause.wait(0.01)
        log = self._container.output(lines=5).decode(errors="replace")
        raise PlatformError(
            f"{self._container.name} did not take over routes {generation} within {_TIMEOUT_S:g} s "
            f"(it answers {seen!r}); its last lines:\n{log}"
        )
