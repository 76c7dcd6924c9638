"""The proxy between replicas and backing services: one container, one listening port a service."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import obstore

from harness.errors import EngineError, FaultError, MayflyError, PlatformError
from harness.platforms import backing
from harness.platforms.backing_services import BackingServices
from harness.platforms.containers import LOOPBACK, Container
from harness.platforms.grounds import Grounds
from harness.platforms.postgres_session import PostgresSession
from harness.platforms.storage_link import MOST_AT_ONCE_BYTES, Speak
from harness.platforms.storage_path import StoragePath
from harness.platforms.storage_sessions import RedisSession, S3Session
from harness.platforms.wire import FILL, Door, Wire
from harness.toxiproxy import Toxiproxy

HOST = "proxy"
"""Its name inside the network, which the replicas are given."""

CONTROL_PORT = 8474
LEASE_S = 10.0
_BEAT_S = 2.5
_START_TIMEOUT_S = 20.0
_REACH_S = 0.5
_PROBE_KEY = "mayfly/probe"
_SIGNED_FOR = timedelta(hours=24)


class StoragePaths:
    """The proxied paths of a run, and the heartbeat without which their rules expire."""

    def __init__(self, grounds: Grounds, backing_services: BackingServices) -> None:
        self._grounds = grounds
        self._backing = backing_services
        self._container: Container | None = None
        self._control: Toxiproxy | None = None
        self._paths: dict[str, StoragePath] = {}
        self._closing = False
        self._silence = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="storage-paths", daemon=True)

    @property
    def host(self) -> str | None:
        """The name in front of all services that the replicas are given; None: their own names."""
        platform = self._grounds.settings.platform
        return HOST if platform.storage_path == "proxied" and platform.backing else None

    def start(self) -> None:
        """Return when every path passes on. The backing services have to run already."""
        if self.host is None:
            return
        grounds, services = self._grounds, self._backing.running()
        image = grounds.blueprint.images["proxy"]
        ports = {backing.KINDS[name].port: None for name in services}
        grounds.recorder.event("proxy.ordered", "proxy")
        spec = replace(
            grounds.spec("proxy", "proxy", {**ports, CONTROL_PORT: None}, image),
            alias=HOST,
            environment={"LEASE_S": f"{LEASE_S:g}"},
            memory_mb=256,
        )
        container = self._container = Container(spec)
        container.start()
        url = f"http://{LOOPBACK}:{container.published(CONTROL_PORT)}"
        control = self._control = Toxiproxy(url)
        self._await_control(control, container)
        control.populate(
            [
                (name, f"0.0.0.0:{backing.KINDS[name].port}", f"{name}:{backing.KINDS[name].port}")
                for name in services
            ]
        )
        for name, service in services.items():
            self._paths[name] = self._path(name, service, container, control)
        self._await_open()
        self._heart.start()
        grounds.recorder.event("proxy.ready", "proxy", {"image": image})

    def path(self, service: str) -> StoragePath:
        """The path to a service. Raises FaultError where there is none."""
        found = self._paths.get(service)
        if found is None:
            known = ", ".join(sorted(self._paths)) or "none"
            raise FaultError(
                f"expected a proxied path to {service!r}, found {known}; set storage_path = "
                '"proxied" and name the service in backing, both under [platform]'
            )
        return found

    def undisturbed(self) -> Sequence[StoragePath]:
        """The paths without any rule in force."""
        return [path for _, path in sorted(self._paths.items()) if not path.rules()]

    def residue(self) -> Sequence[str]:
        """Rules that are in force now: right after the last heal there should be none."""
        if self._control is None:
            return []
        proxies = self._control.proxies()
        return [f"{name}-path: {each.rules()}" for name, each in proxies.items() if each.rules()]

    def died(self, name: str) -> bool:
        """Whether it was the proxy that died: then nobody reaches any storage, and all ends."""
        if self._container is None or name != self._container.name:
            return False
        self._grounds.recorder.event("proxy.died", name)
        if not self._closing:
            self._grounds.fail(PlatformError(self._lost("its container ended")))
        return True

    def logs(self) -> Mapping[str, bytes]:
        """All that it has written."""
        return {} if self._container is None else {"proxy": self._container.output()}

    def stop_beating(self) -> None:
        """Let the lease run out: LEASE_S later no rule is in force any more."""
        self._silence.set()
        if self._heart.is_alive():
            self._heart.join(5)

    def close(self) -> None:
        """Watch it no more."""
        self._closing = True
        self.stop_beating()
        if self._control is not None:
            self._control.close()

    def _path(
        self, name: str, service: Container, container: Container, control: Toxiproxy
    ) -> StoragePath:
        port = backing.KINDS[name].port
        inside = Door(container.spec.address, port)
        # The engine's own forwarding at a published port turns a reset into an orderly end: where
        # the container's address can be reached from here, what we see is what the proxy sent.
        reachable = _reaches(Door(container.spec.address, CONTROL_PORT))
        return StoragePath(
            service=name,
            container=container,
            control=control,
            door=inside if reachable else Door(LOOPBACK, container.published(port)),
            find_direct=lambda: Door(LOOPBACK, service.published(port)),
            speak=self._speak(name, service),
            sees_resets=reachable,
        )

    def _speak(self, name: str, service: Container) -> Speak:
        secret = self._backing.secrets
        speakers: Mapping[str, Callable[[], Speak]] = {
            "database": lambda: (
                lambda wire: PostgresSession(wire, "mayfly", secret.database, "mayfly")
            ),
            "cache": lambda: lambda wire: RedisSession(wire, secret.cache),
            "store": lambda: _signed(service, secret),
        }
        return speakers[name]()

    def _await_control(self, control: Toxiproxy, container: Container) -> None:
        self._await(lambda: bool(control.version()), container, "its control API did not answer")

    def _await_open(self) -> None:
        for path in self._paths.values():
            self._await(path.answers, path.container, f"{path.name} passed nothing on")

    def _await(self, true: Callable[[], bool], container: Container, why: str) -> None:
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        pause = threading.Event()
        while not _quietly(true):
            if time.monotonic() > deadline_s or not container.is_running():
                log = container.output(lines=8).decode(errors="replace")
                raise PlatformError(
                    f"expected a storage proxy within {_START_TIMEOUT_S:g} s, seen: {why}; its "
                    f"last lines:\n{log}"
                )
            pause.wait(0.02)

    def _beat(self) -> None:
        """Renew the lease. Where that fails for as long as it lasts, what was in force is gone."""
        control, last_s = self._control, time.monotonic()
        while control is not None and not self._silence.wait(_BEAT_S):
            why = "it answered too late"
            try:
                control.proxies()
                silent_s = time.monotonic() - last_s
                last_s = time.monotonic()
            except MayflyError as error:
                why, silent_s = str(error), time.monotonic() - last_s
            if silent_s > LEASE_S and not self._silence.is_set():
                self._grounds.fail(PlatformError(self._lost(f"{why}, for {silent_s:.1f} s")))
                return

    def _lost(self, why: str) -> str:
        tail = ""
        if self._container is not None:
            try:
                tail = self._container.output(lines=6).decode(errors="replace").strip()
            except EngineError:
                tail = "(the engine does not answer either)"
        return (
            f"the storage proxy is lost: {why}. Rules that were in force are gone after "
            f"{LEASE_S:g} s, so nothing that follows would prove anything. Its last lines:\n{tail}"
        )


def _signed(service: Container, secret: backing.Secrets) -> Speak:
    """Put the object that is fetched, past the proxy, and sign the requests for it."""
    store = backing.client(service, secret)
    backing.put(store, _PROBE_KEY, FILL * MOST_AT_ONCE_BYTES, service)
    host = f"{LOOPBACK}:{service.published(backing.KINDS['store'].port)}"
    head = obstore.sign(store, "HEAD", _PROBE_KEY, _SIGNED_FOR).removeprefix(f"http://{host}")
    get = obstore.sign(store, "GET", _PROBE_KEY, _SIGNED_FOR).removeprefix(f"http://{host}")

    def speak(wire: Wire) -> S3Session:
        return S3Session(wire, host, head, get)

    return speak


def _reaches(door: Door) -> bool:
    try:
        Wire(door, _REACH_S).close()
    except OSError:
        return False
    return True


def _quietly(true: Callable[[], bool]) -> bool:
    try:
        return true()
    except FaultError:
        return False
