"""The control loop on containers: carries out the Reconciler's orders, tells it what happens."""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeAlias

from docker.errors import APIError

from harness import nginx
from harness.control import Launch, Order, Reconciler, Route
from harness.errors import EngineError, MayflyError, PlatformError
from harness.examiner import Examiner
from harness.platforms.backing import accepts_connections
from harness.platforms.balancer_keeper import BalancerKeeper
from harness.platforms.containers import LOOPBACK, Container
from harness.platforms.grounds import Grounds
from harness.platforms.targets import ReplicaTarget
from harness.platforms.watcher import watch_usage
from harness.probes import Prober


@dataclass(frozen=True, slots=True)
class _Died:
    name: str
    exit_code: int
    time_s: float


@dataclass(frozen=True, slots=True)
class _Probed:
    name: str
    ready: bool


SPARE = "spare-"
SPARE_SLOT = -1
"""The place of a replica that fills no place: it is there for a cold start to be measured."""

_Signal: TypeAlias = _Died | _Probed | None


class ReplicaKeeper:
    """Keeps the wanted number of replicas running and the balancer told of the ready ones."""

    def __init__(
        self,
        grounds: Grounds,
        balancer: BalancerKeeper,
        placeholders: Mapping[str, str],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._grounds = grounds
        self._balancer = balancer
        self._placeholders = placeholders
        self._pool = pool
        settings, blueprint = grounds.settings, grounds.blueprint
        self._reconciler = Reconciler(settings.platform.replicas, settings.platform.time_scale)
        self._examiner = Examiner.of(
            settings.service.model, blueprint.golden, blueprint.run_id, blueprint.tolerance
        )
        self._signals: queue.SimpleQueue[_Signal] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._containers: dict[str, Container] = {}
        self._probers: dict[str, Prober] = {}
        self._ready: set[str] = set()
        self._dead: dict[str, int] = {}
        self._examined: set[str] = set()
        self._successors: dict[str, str] = {}
        self._spares = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="control-loop", daemon=True)

    def start(self) -> None:
        """Order the fleet. Readiness comes later: ``is_complete`` tells."""
        orders = self._reconciler.start(time.monotonic())
        self._carry_out(orders)
        self._thread.start()

    def start_spare(self) -> str:
        """Start one more replica beside the fleet: probed and examined, but never routed to."""
        self._spares += 1
        name = f"{SPARE}{self._spares}"
        self._launch(Launch(name, SPARE_SLOT, None, 0.0, "bare cold start"))
        return name

    def stop_spare(self, name: str) -> None:
        """Ask it to end; it drains while others go on."""
        self._probers[name].stop()
        grace_s = self._grounds.settings.service.stop_grace_s
        self._pool.submit(self._containers[name].stop, grace_s)

    def died(self, name: str, exit_code: int, time_s: float) -> None:
        """The engine says that a container ended."""
        self._signals.put(_Died(name, exit_code, time_s))

    def is_complete(self) -> bool:
        """Whether every place is filled by a ready replica."""
        return self._reconciler.ready()

    def targets(self) -> Sequence[ReplicaTarget]:
        """The replicas that are alive, oldest first."""
        with self._lock:
            return [
                self._target(container)
                for name, container in self._containers.items()
                if name not in self._dead and not name.startswith(SPARE)
            ]

    def containers(self) -> Sequence[Container]:
        """All that ever ran, oldest first."""
        with self._lock:
            return list(self._containers.values())

    def explain(self) -> str:
        """Why the fleet is not complete: for an error message."""
        with self._lock:
            for name, code in self._dead.items():
                tail = self._containers[name].output(lines=6).decode(errors="replace").strip()
                return f"{name} ended with exit code {code}; its last lines:\n{tail}"
            waiting = [
                (name, each) for name, each in self._containers.items() if name not in self._ready
            ]
        for name, container in waiting:
            port = self._grounds.settings.service.port
            tail = container.output(lines=6).decode(errors="replace").strip() or "(none)"
            if not accepts_connections(container.published(port)):
                return (
                    f"{name} runs, but nobody listens on its port {port}: mend service.port in "
                    f"resilience.toml, or the service. Its last lines:\n{tail}"
                )
            return f"{name} listens on port {port}, but is not ready. Its last lines:\n{tail}"
        return "no replica was started"

    def has_casualties(self) -> bool:
        """Whether any replica has ended yet."""
        return bool(self._dead)

    def close(self) -> None:
        """Replace nobody any more."""
        self._closing.set()
        self._signals.put(None)
        if self._thread.is_alive():
            self._thread.join(5)
        for prober in list(self._probers.values()):
            prober.stop()

    def _target(self, container: Container) -> ReplicaTarget:
        name = container.name
        return ReplicaTarget(
            container,
            self._grounds.settings.service.port,
            lambda: self._has_ready_successor(name),
            lambda: name in self._ready,
        )

    def _has_ready_successor(self, name: str) -> bool:
        """Whether whoever took the place, or took it from those who did, is ready."""
        successor = self._successors.get(name)
        while successor is not None:
            if successor in self._ready:
                return True
            successor = self._successors.get(successor)
        return False

    def _loop(self) -> None:
        try:
            while (signal := self._signals.get()) is not None:
                self._handle(signal)
                self._grounds.changed()
        except MayflyError as error:
            self._grounds.fail(error)
        except APIError as error:
            self._grounds.fail(EngineError(f"the Docker engine refused an order: {error}"))
        except Exception as error:
            self._grounds.fail(PlatformError(f"the control loop ended by its own fault: {error!r}"))
            raise

    def _handle(self, signal: _Died | _Probed) -> None:
        recorder = self._grounds.recorder
        if isinstance(signal, _Died):
            if signal.name not in self._containers or self._closing.is_set():
                return
            if signal.name in self._probers:
                self._probers[signal.name].stop()
            self._ready.discard(signal.name)
            self._dead[signal.name] = signal.exit_code
            recorder.event(
                "replica.died", signal.name, {"exit_code": signal.exit_code}, signal.time_s
            )
            self._carry_out(self._reconciler.died(signal.name, time.monotonic()))
            return
        if signal.name in self._dead:
            return
        (self._ready.add if signal.ready else self._ready.discard)(signal.name)
        recorder.event("replica.ready" if signal.ready else "replica.unready", signal.name)
        self._carry_out(self._reconciler.probed(signal.name, signal.ready, time.monotonic()))
        if signal.ready and signal.name not in self._examined:
            self._examined.add(signal.name)
            self._pool.submit(self._examine, signal.name)

    def _carry_out(self, orders: Sequence[Order]) -> None:
        """Launches first: they only hand work to the pool, so routing goes on beside them."""
        for order in orders:
            if isinstance(order, Launch):
                self._launch(order)
        for order in orders:
            if isinstance(order, Route):
                self._route(order.names)

    def _route(self, names: Sequence[str]) -> None:
        port = self._grounds.settings.service.port
        routes = [
            nginx.Route(name, f"{self._containers[name].spec.address}:{port}") for name in names
        ]
        self._balancer.route(routes)

    def _launch(self, order: Launch) -> None:
        details = {"slot": order.slot, "predecessor": order.predecessor, "reason": order.reason}
        delay_s = order.not_before_s - time.monotonic()
        if order.predecessor is not None:
            self._successors[order.predecessor] = order.name

        def begin() -> None:
            if not self._closing.is_set():
                self._grounds.recorder.event("replica.ordered", order.name, details)
                self._pool.submit(self._run, order.name)

        if delay_s > 0:
            timer = threading.Timer(delay_s, begin)
            timer.daemon = True
            timer.start()
        else:
            begin()

    def _run(self, name: str) -> None:
        """Start one replica and begin to probe it."""
        try:
            container = self._start(name)
            prober = self._prober(name, container)
        except MayflyError as error:
            if not self._closing.is_set() and not self._has_ended(name):
                self._grounds.fail(error)
            return
        self._probers[name] = prober
        if name not in self._dead:
            prober.start()
            watch_usage(container, self._grounds.recorder)

    def _has_ended(self, name: str) -> bool:
        """Whether it ran and ended at once: the engine then tells of a death, which is enough."""
        container = self._containers.get(name)
        return container is not None and container.has_started and not container.is_running()

    def _prober(self, name: str, container: Container) -> Prober:
        service = self._grounds.settings.service
        http = f"{LOOPBACK}:{container.published(service.http_port)}" if service.http_port else None
        return Prober(
            name,
            f"{LOOPBACK}:{container.published(service.port)}",
            http,
            service.model,
            self._grounds.settings.platform.probes,
            self._grounds.recorder,
            lambda who, ready: self._signals.put(_Probed(who, ready)),
        )

    def _start(self, name: str) -> Container:
        grounds, service = self._grounds, self._grounds.settings.service
        ports = {port: None for port in (service.port, service.http_port) if port is not None}
        image = grounds.blueprint.images["service"]
        fill = {**self._placeholders, "replica": name}
        spec = replace(
            grounds.spec(name, "replica", ports, image),
            environment={key: value.format_map(fill) for key, value in service.environment.items()},
            cpus=service.cpus,
            memory_mb=service.memory_mb,
            user=str(service.user),
        )
        container = Container(spec)
        with self._lock:
            self._containers[name] = container
        container.start()
        grounds.recorder.event(
            "replica.started",
            name,
            {
                "address": f"{spec.address}:{service.port}",
                "container": container.id,
                "hostname": container.id,
                "image": image,
            },
        )
        return container

    def _examine(self, name: str) -> None:
        """Its first golden answers, asked directly; a replica that dies meanwhile has none."""
        port = self._containers[name].published(self._grounds.settings.service.port)
        try:
            seen = self._examiner.examine(name, f"{LOOPBACK}:{port}")
        except PlatformError as error:
            self._grounds.recorder.event("replica.examination_failed", name, {"why": str(error)})
            return
        self._grounds.recorder.event(
            "replica.first_correct", name, seen.details, seen.first_correct_s
        )
        self._grounds.changed()
