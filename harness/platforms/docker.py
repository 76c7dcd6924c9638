"""The Docker platform: a fleet behind nginx, kept alive by a control loop."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from harness import engine, nginx
from harness.errors import PlatformError
from harness.fleet import Life
from harness.history import Value
from harness.platform import End
from harness.platforms import ownership
from harness.platforms.autoscaling import AutoscalingLoop
from harness.platforms.backing_services import BackingServices
from harness.platforms.balancer_keeper import BalancerKeeper
from harness.platforms.containers import Container
from harness.platforms.grounds import Blueprint, Grounds
from harness.platforms.neighbours import Neighbours
from harness.platforms.replica_keeper import ReplicaKeeper
from harness.platforms.residue import residue
from harness.platforms.spares import Spares
from harness.platforms.storage_path import StoragePath
from harness.platforms.storage_paths import StoragePaths
from harness.platforms.targets import ContainerTarget, ReplicaTarget
from harness.platforms.watcher import Watcher
from harness.recorder import Recorder
from harness.settings import ModelSource
from harness.surfaces import Way
from harness.tables import Table

_MOST_REPLICAS = 16


class DockerPlatform:
    """Fits ``harness.platform.Platform``. As a context manager it leaves nothing behind."""

    def __init__(self, blueprint: Blueprint, recorder: Recorder, say: engine.Say) -> None:
        self._blueprint = blueprint
        self._recorder = recorder
        self._say = say
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="platform")
        self.grounds = Grounds(blueprint, recorder)
        try:
            self._backing = BackingServices(self.grounds)
            self.storage_paths = StoragePaths(self.grounds, self._backing)
            self._balancer = BalancerKeeper(self.grounds, self._pool)
            self._replicas = ReplicaKeeper(
                self.grounds,
                self._balancer,
                self._backing.placeholders(self.storage_paths.host),
                self._pool,
            )
            self._spares = Spares(self.grounds, self._replicas)
            self.autoscaling = AutoscalingLoop(self.grounds, self._balancer, self._replicas)
        except BaseException:
            self.grounds.close()
            raise
        self._watcher: Watcher | None = None
        self._neighbours = Neighbours(recorder)
        self.leaks: list[ownership.Leftover] = []

    def start(self) -> None:
        """Return when everything runs and every replica is routed to; else raise what is wrong."""
        self._watcher = Watcher(self._blueprint.run_id, self._died, self.grounds.fail)
        self._neighbours.start()
        self._say("starting backing services")
        self._backing.start()
        self.storage_paths.start()
        self._say("starting replicas and balancer")
        balancer = self._pool.submit(self._balancer.start)
        self._replicas.start()
        timeout_s = self._blueprint.settings.platform.probes.start_timeout_s
        self.grounds.wait_until(self._is_settled, timeout_s)
        balancer.result(timeout_s)
        if not self._replicas.is_complete():
            raise PlatformError(
                f"expected {self._blueprint.settings.platform.replicas} ready replicas within "
                f"{timeout_s:g} s, but {self._replicas.roster.explain()}"
            )
        if not self.await_steady(timeout_s):
            raise PlatformError(
                f"the balancer did not take up the ready replicas in {timeout_s:g} s"
            )
        autoscaler = self._blueprint.settings.platform.autoscaler
        if autoscaler.enabled:
            self.autoscaling.begin(autoscaler)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove everything of the run; ``leaks`` names what resisted."""
        self._neighbours.end()
        self.autoscaling.end()
        self._replicas.close()
        self.storage_paths.close()
        self._backing.close()
        if self._watcher is not None:
            self._watcher.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.leaks = self.grounds.close()

    @property
    def address(self) -> str:
        """The balancer, as host:port on 127.0.0.1: the load's only door."""
        return self._balancer.address

    @property
    def balancer(self) -> ContainerTarget:
        """The balancer that is in charge now."""
        return self._balancer.target()

    def replicas(self) -> Sequence[ReplicaTarget]:
        """The replicas that are alive, oldest first."""
        return self._replicas.roster.targets()

    def backing(self) -> Sequence[ContainerTarget]:
        """The backing services that run."""
        return self._backing.targets()

    def storage_path(self, service: str) -> StoragePath:
        """The proxied way to a backing service, as a target. Raises FaultError without one."""
        return self.storage_paths.path(service)

    def await_steady(self, timeout_s: float) -> bool:
        """Whether all places are filled, and the balancer sends calls to exactly those, in time."""
        return self.grounds.wait_until(self._is_steady, timeout_s)

    @property
    def size(self) -> int:
        """How many replicas there are to be, ready or not."""
        return self._replicas.size()[0]

    def scale(self, replicas: int) -> None:
        """Have this many from now on, 1 to 16; ``await_steady`` tells when they are routed to.

        What is too many is taken out of the balancer, asked to end, and not replaced.
        """
        if not 1 <= replicas <= _MOST_REPLICAS:
            raise PlatformError(
                f"expected a fleet of 1 to {_MOST_REPLICAS} replicas, found an order for {replicas}"
            )
        self._replicas.scale(replicas)

    @property
    def can_bake(self) -> bool:
        """Whether there can be replicas with a baked and with a downloaded model."""
        return self._blueprint.build is not None

    def bare_start(self, timeout_s: float, model: ModelSource | None = None) -> Life:
        """Start one more replica beside the fleet, wait for its first golden answer, stop it."""
        return self._spares.bare_start(timeout_s, model)

    def without_model(self, environment: Mapping[str, str]) -> AbstractContextManager[str]:
        """One more replica beside the fleet, which cannot load its model, while the block runs."""
        return self._spares.without_model(environment)

    def direct_ways(self) -> Mapping[str, Way]:
        """Where each living replica can be asked past balancer and probe, the spares included."""
        return self._replicas.roster.ways()

    def check(self) -> None:
        """Raise what made the platform fail, if anything did."""
        self.grounds.check()

    def balancer_routes(self) -> frozenset[str]:
        """The replicas that the balancer sends calls to, by its own word."""
        return self._balancer.in_force()

    def records(self, prefix: str, asked_s: float | None = None) -> Table | None:
        """What the service recorded under request ids with this prefix.

        ``asked_s``: when, for the history; now, unless it is given.
        """
        return self._backing.records(prefix, asked_s)

    def access(self, began_s: float, ended_s: float) -> Table:
        """The balancer's access log between two instants of the monotonic clock."""
        wall_minus_monotonic_s = time.time() - time.monotonic()
        lines = self._balancer.access_lines(int(began_s + wall_minus_monotonic_s) - 1)
        table = nginx.access_log(lines, wall_minus_monotonic_s)
        # nginx's clock has ticks of a millisecond: a line may seem to be written before its cause.
        inside: Table = table[(table["done_s"] >= began_s) & (table["done_s"] <= ended_s + 0.01)]
        return inside

    def conditions(self) -> dict[str, Value]:
        """What the report has to say of the platform."""
        settings = self._blueprint.settings
        version = self.grounds.client.version()
        return {
            "image": self._blueprint.images["service"],
            "model digest": self._blueprint.artifact.digest[:16]
            if self._blueprint.artifact
            else "",
            "replicas": settings.platform.replicas,
            "replica limits": f"{settings.service.cpus:g} CPU, {settings.service.memory_mb} MB",
            "balancer": self._blueprint.images["balancer"],
            "balancer rules": nginx.rules(settings.platform.balancer),
            "platform": f"Docker {version['Version']} on Linux {version['KernelVersion']}",
            "time scale": settings.platform.time_scale,
        }

    def logs(self) -> Mapping[str, bytes]:
        """All that each container of the run has written, the dead ones' included."""
        served = {each.name: each.output() for each in self._served()}
        return {**served, **self._backing.logs(), **self.storage_paths.logs()}

    def residue(self) -> Sequence[str]:
        """What is still paused, limited in another way than it is to be, or ruled by the proxy."""
        containers = [*self._served(), *self._backing.running().values()]
        left = residue(self.grounds.client, self._blueprint.run_id, containers)
        return [*left, *self.storage_paths.residue()]

    def _served(self) -> Sequence[Container]:
        """The containers of all replicas and balancers that ever ran."""
        return [*self._replicas.roster.containers(), *self._balancer.containers()]

    def _is_settled(self) -> bool:
        return self._replicas.is_complete() or self._replicas.roster.has_casualties()

    def _is_steady(self) -> bool:
        if not (self._replicas.is_complete() and self._backing.are_usable()):
            return False
        ready = {each.name for each in self.replicas() if each.is_ready()}
        return ready == self._balancer.in_force()

    def _died(self, name: str, exit_code: int, time_s: float) -> None:
        end = End(exit_code, time_s)
        for each in self._served():
            if each.name == name:
                each.ended(end)
        if self.storage_paths.died(name):
            return
        if self._balancer.died(name) or self._backing.died(name, end):
            self.grounds.changed()
            return
        self._replicas.died(name, exit_code, time_s)
