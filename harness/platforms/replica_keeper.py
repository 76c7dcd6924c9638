"""The control loop on containers: tells the Reconciler what happens, has its orders carried out."""

import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

from docker.errors import APIError

from harness.control import Reconciler
from harness.errors import EngineError, MayflyError, PlatformError
from harness.platforms.balancer_keeper import BalancerKeeper
from harness.platforms.grounds import Grounds
from harness.platforms.orders import Orders
from harness.platforms.replica_starter import Listeners, ReplicaStarter
from harness.platforms.roster import Roster

_SCALED_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class _Died:
    name: str
    exit_code: int
    time_s: float


@dataclass(frozen=True, slots=True)
class _Probed:
    name: str
    ready: bool


@dataclass(frozen=True, slots=True)
class _Unlive:
    name: str


@dataclass(frozen=True, slots=True)
class _Scaled:
    wanted: int
    ordered: threading.Event = field(default_factory=threading.Event)


_Signal: TypeAlias = _Died | _Probed | _Unlive | _Scaled


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
        self._pool = pool
        settings = grounds.settings
        self._reconciler = Reconciler(settings.platform.replicas, settings.platform.time_scale)
        self._reconciling = threading.Lock()
        self._signals: queue.SimpleQueue[_Signal | None] = queue.SimpleQueue()
        self.roster = Roster(settings.service.port, grounds.blueprint.images["balancer"])
        listeners = Listeners(
            lambda name, ready: self._signals.put(_Probed(name, ready)),
            lambda name: self._signals.put(_Unlive(name)),
        )
        self.starter = ReplicaStarter(grounds, placeholders, pool, self.roster, listeners)
        self._orders = Orders(grounds, balancer, pool, self.roster, self.starter)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="control-loop", daemon=True)

    def start(self) -> None:
        """Order the fleet. Readiness comes later: ``is_complete`` tells."""
        with self._reconciling:
            orders = self._reconciler.start(time.monotonic())
        self._orders.carry_out(orders)
        self._thread.start()

    def scale(self, wanted: int) -> None:
        """Have this many replicas from now on; returns once that is ordered, not carried out."""
        signal = _Scaled(wanted)
        self._signals.put(signal)
        if not self._grounds.wait_until(signal.ordered.is_set, _SCALED_WITHIN_S):
            raise PlatformError(
                f"the control loop took no order to have {wanted} replicas within "
                f"{_SCALED_WITHIN_S:g} s"
            )

    def died(self, name: str, exit_code: int, time_s: float) -> None:
        """The engine says that a container ended."""
        self._signals.put(_Died(name, exit_code, time_s))

    def size(self) -> tuple[int, int]:
        """How many replicas are wanted now, and how many of these are ready."""
        with self._reconciling:
            return self._reconciler.wanted, self._reconciler.ready_replicas

    def is_complete(self) -> bool:
        """Whether every place is filled by a ready replica."""
        with self._reconciling:
            return self._reconciler.ready()

    def close(self) -> None:
        """Replace nobody any more."""
        self._closing.set()
        self._signals.put(None)
        if self._thread.is_alive():
            self._thread.join(5)
        self.starter.close()

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

    def _handle(self, signal: _Signal) -> None:
        match signal:
            case _Died():
                self._handle_death(signal)
            case _Probed(name, ready) if not self.roster.is_dead(name):
                self._handle_probe(name, ready)
            case _Unlive(name) if not self.roster.is_dead(name):
                self._restart(name)
            case _Scaled(wanted, ordered):
                with self._reconciling:
                    orders = self._reconciler.scale(wanted, time.monotonic())
                self._orders.carry_out(orders)
                ordered.set()

    def _handle_death(self, signal: _Died) -> None:
        if self.roster.container(signal.name) is None or self._closing.is_set():
            return
        self.starter.forget(signal.name)
        self.roster.set_dead(signal.name, signal.exit_code)
        details = {"exit_code": signal.exit_code}
        self._grounds.recorder.event("replica.died", signal.name, details, signal.time_s)
        with self._reconciling:
            orders = self._reconciler.died(signal.name, time.monotonic())
        self._orders.carry_out(orders)

    def _handle_probe(self, name: str, ready: bool) -> None:
        self.roster.set_ready(name, ready)
        self._grounds.recorder.event("replica.ready" if ready else "replica.unready", name)
        with self._reconciling:
            orders = self._reconciler.probed(name, ready, time.monotonic())
        self._orders.carry_out(orders)
        if ready:
            self.starter.examine(name)

    def _restart(self, name: str) -> None:
        """Kill what is not live; its death is told by the engine, and leads to a replacement."""
        container = self.roster.container(name)
        assert container is not None
        failures = self._grounds.settings.platform.probes.liveness_failures
        self._grounds.recorder.event("replica.liveness_failed", name, {"failures": failures})
        self._pool.submit(container.kill)
