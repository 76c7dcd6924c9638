"""The Docker platform: a fleet behind nginx, kept alive by a control loop."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from harness import engine, nginx
from harness.errors import PlatformError
from harness.fleet import Life, lives
from harness.history import Value
from harness.platforms import ownership
from harness.platforms.backing_services import BackingServices
from harness.platforms.balancer_keeper import BalancerKeeper
from harness.platforms.containers import Container
from harness.platforms.grounds import Blueprint, Grounds
from harness.platforms.replica_keeper import ReplicaKeeper
from harness.platforms.targets import ContainerTarget, ReplicaTarget
from harness.platforms.watcher import Watcher
from harness.recorder import Recorder
from harness.tables import Table


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
            self._balancer = BalancerKeeper(self.grounds, self._pool)
            self._replicas = ReplicaKeeper(
                self.grounds, self._balancer, self._backing.placeholders(), self._pool
            )
        except BaseException:
            self.grounds.close()
            raise
        self._watcher: Watcher | None = None
        self.leaks: list[ownership.Leftover] = []

    def start(self) -> None:
        """Return when everything runs and every replica is routed to; else raise what is wrong."""
        self._watcher = Watcher(self._blueprint.run_id, self._died, self.grounds.fail)
        self._say("starting backing services")
        self._backing.start()
        self._say("starting replicas and balancer")
        balancer = self._pool.submit(self._balancer.start)
        self._replicas.start()
        timeout_s = self._blueprint.settings.platform.probes.start_timeout_s
        self.grounds.wait_until(self._is_settled, timeout_s)
        balancer.result(timeout_s)
        if not self._replicas.is_complete():
            raise PlatformError(
                f"expected {self._blueprint.settings.platform.replicas} ready replicas within "
                f"{timeout_s:g} s, but {self._replicas.explain()}"
            )
        if not self.await_steady(timeout_s):
            raise PlatformError(
                f"the balancer did not take up the ready replicas in {timeout_s:g} s"
            )

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
        self._replicas.close()
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
        return self._replicas.targets()

    def backing(self) -> Sequence[ContainerTarget]:
        """The backing services that run."""
        return self._backing.targets()

    def await_steady(self, timeout_s: float) -> bool:
        """Whether all places are filled, and the balancer sends calls to exactly those, in time."""
        return self.grounds.wait_until(self._is_steady, timeout_s)

    def bare_start(self, timeout_s: float) -> Life:
        """Start one more replica beside the fleet, wait for its first golden answer, stop it."""
        name = self._replicas.start_spare()
        if not self.grounds.wait_until(
            lambda: self._life(name).first_correct_s is not None, timeout_s
        ):
            raise PlatformError(
                f"expected a first golden answer of {name} within {timeout_s:g} s, but "
                f"{self._replicas.explain()}"
            )
        self._replicas.stop_spare(name)
        return self._life(name)

    def _life(self, name: str) -> Life:
        return lives(self._recorder.events())[name]

    def check(self) -> None:
        """Raise what made the platform fail, if anything did."""
        self.grounds.check()

    def balancer_routes(self) -> frozenset[str]:
        """The replicas that the balancer sends calls to, by its own word."""
        return self._balancer.in_force()

    def records(self, prefix: str) -> Table | None:
        """What the service recorded under request ids with this prefix."""
        return self._backing.records(prefix)

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
            "platform": f"Docker {version['Version']} on Linux {version['KernelVersion']}",
            "time scale": settings.platform.time_scale,
        }

    def logs(self) -> Mapping[str, bytes]:
        """All that each container of the run has written, the dead ones' included."""
        containers: list[Container] = [
            *self._replicas.containers(),
            *self._balancer.containers(),
        ]
        return {each.name: each.output() for each in containers} | dict(self._backing.logs())

    def _is_settled(self) -> bool:
        return self._replicas.is_complete() or self._replicas.has_casualties()

    def _is_steady(self) -> bool:
        if not self._replicas.is_complete():
            return False
        ready = {each.name for each in self.replicas() if each.is_ready()}
        return ready == self._balancer.in_force()

    def _died(self, name: str, exit_code: int, time_s: float) -> None:
        if self._balancer.died(name) or self._backing.died(name):
            self.grounds.changed()
            return
        self._replicas.died(name, exit_code, time_s)
