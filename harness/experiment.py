"""What a suite does: offer load, hold steady, inject faults, observe. It writes the history.

A scenario reads like the promise that it tests::

    with experiment.under_load(rate_rps=200):
        experiment.steady(3)
        with experiment.inject(kill(experiment.any_replica())):
            experiment.observe(5)
        experiment.steady(2)
    contract.must_hold("T5", "D3")
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import msgspec

from harness import resets, steady_state
from harness.assembly import retry_policy
from harness.capacity import Capacity
from harness.chronicle import Chronicle
from harness.demand import Capacities, Demand, Fleet
from harness.errors import LoadError, PlatformError
from harness.fault import Injection, Planned
from harness.fleet import Life
from harness.history import History, Value
from harness.load.locustfile import LocustProcess
from harness.load.offering import RunningLoad
from harness.load.oip import Workload
from harness.load.plan import Plan
from harness.load.process import LoadProcess
from harness.load.shape import read as read_shape
from harness.load.standby import Standby
from harness.platform import Replica, Target
from harness.platforms.docker import DockerPlatform
from harness.platforms.storage_path import StoragePath
from harness.progress import Progress
from harness.recorder import Recorder
from harness.settings import ModelSource, Settings
from harness.witness import Terms, witness

_TICK_S = 0.1
_FIRST_LOOK = 3  # times the usual load, which a service that is tested under it bears easily


@dataclass(slots=True)
class Experiment:
    """One scenario under way."""

    name: str
    platform: DockerPlatform
    recorder: Recorder
    settings: Settings
    golden: Path
    tolerance: float
    seed: int
    id_prefix: str  # what the ids of this scenario's requests begin with
    progress: Progress
    standby: Standby
    directory: Path  # of the run
    capacities: Capacities = field(default_factory=Capacities)  # shared by the run's scenarios
    _choice: random.Random = field(init=False)
    _chronicle: Chronicle = field(init=False)
    _load: LoadProcess | None = None
    _loads: int = 0
    _locusts: int = 0
    _load_began_s: float = 0.0
    _under_fault: int = 0
    _scaled: bool = False
    _told: Fleet | None = None  # the fleet whose capacity this scenario goes by
    _cpus: float | None = None  # of each replica, where it is not what the settings say

    def __post_init__(self) -> None:
        """Everything chosen at random follows from the run's seed and the scenario's name."""
        self._choice = random.Random(f"{self.seed} {self.name}")  # noqa: S311  # repeatable
        self._chronicle = Chronicle(self.name, self.recorder)

    # Looking

    @property
    def now_s(self) -> float:
        """The instant on the clock of the history."""
        return time.monotonic()

    def replicas(self) -> Sequence[Replica]:
        """The replicas that are alive, oldest first."""
        return self.platform.replicas()

    def any_replica(self) -> Replica:
        """One of the ready replicas, chosen by the seed."""
        ready = [replica for replica in self.replicas() if replica.is_ready()]
        if not ready:
            raise PlatformError("expected at least one ready replica to choose from, found none")
        return self._choice.choice(ready)

    def storage_path(self, service: Literal["database", "cache", "store"]) -> StoragePath:
        """The way from all replicas to one backing service, to be disturbed: faults/storage.py."""
        return self.platform.storage_path(service)

    def load(self) -> RunningLoad:
        """The load that is offered now, to be changed by a fault: faults/traffic.py."""
        return RunningLoad(self._offered())

    def callers(self, rate_rps: float) -> Plan:
        """A plan for further callers beside the load, with request ids of their own."""
        return self._plan(rate_rps)

    # Acting

    @contextmanager
    def under_load(self, rate_rps: float | None = None, shape: str | None = None) -> Iterator[None]:
        """Offer load while the block runs; the history of it is there when it ends.

        ``shape``: a Locust LoadTestShape as ``path/to/file.py:ClassName``, whose users stand for
        one request a second each; its last rate goes on when it is over.
        """
        profile = read_shape(shape) if shape else ()
        rate = profile[0][1] if profile else rate_rps or self.settings.load.rate_rps
        plan = replace(self._plan(rate), profile=profile)
        self.progress.doing(f"connecting the load generator, {plan.rate_rps:g} rps")
        with self.standby.spawn(plan) as load:
            self._load = load
            began_s = self._load_began_s = load.begin()
            self.recorder.event("scenario.began", self.name, time_s=began_s)
            try:
                self._await_steady_state()
                yield
            finally:
                self._load = None
                self.progress.doing("collecting the history")
                self._chronicle.load(load.stop(), plan.id_prefix, began_s, self.platform)
                self.platform.check()
        self.standby.prepare()

    @contextmanager
    def locust(self, locustfile: Path, users: int = 10, spawn_rate: float = 10.0) -> Iterator[None]:
        """Let a user's own locustfile call the balancer too while the block runs.

        What it counted goes into the run directory and the history; no verdict rests on it.
        """
        self._locusts += 1
        folder = self.directory / f"locust-{self.name}-{self._locusts}"
        with LocustProcess.spawn(
            locustfile, self.platform.address, folder, users, spawn_rate
        ) as locust:
            yield
            counted = locust.stop()
        details = {"requests": counted.requests, "failures": counted.failures}
        self.recorder.event("locust.counted", locustfile.name, details)

    def steady(self, duration_s: float) -> None:
        """Let the undisturbed service work for a while."""
        with self._chronicle.window("steady", "steady"):
            self._pass(f"steady, {duration_s:g} s", duration_s)

    def observe(self, duration_s: float, name: str = "observe") -> None:
        """Let time pass while a fault is in force, or after it.

        Clauses look for some names: ``"outage"``, in which nothing can be answered, is what retries
        are judged by.
        """
        with self._chronicle.window("observe", name):
            self._pass(f"observing, {duration_s:g} s", duration_s)

    @contextmanager
    def witness(self, period_s: float = 0.2) -> Iterator[None]:
        """Ask each replica directly, while the block runs, what it says and what it can do.

        Replicas that start meanwhile are asked at 20 Hz at first. See harness/witness.py.
        """
        model = self.settings.service.model
        terms = Terms(
            model=model,
            workload=Workload.load(self.golden, model, self.seed, self.tolerance),
            recorder=self.recorder,
            run_id=self.platform.grounds.blueprint.run_id,
            period_s=period_s,
            timeout_s=self.settings.platform.probes.timeout_s,
            deadline_s=self.settings.load.deadline_s,
        )
        with witness(self.platform.direct_ways, terms):
            yield

    @contextmanager
    def replica_without_model(self, environment: Mapping[str, str]) -> Iterator[str]:
        """One more replica, beside the fleet, that cannot load its model; its name is given.

        ``environment`` is what makes it so, such as the digest of a model that is nowhere.
        """
        with self.platform.without_model(environment) as name:
            yield name

    def capacity(self) -> Capacity:
        """What the fleet sustains and what it reaches; measured once in a run."""
        demand = self._demand()
        if demand.fleet in self.capacities.of:
            if self._told != demand.fleet:  # in another scenario: this one goes by it from now on
                self._told = demand.fleet
                demand.tell()
            return self.capacities.of[demand.fleet]
        self._told = demand.fleet
        self.progress.doing("measuring the capacity")
        with self._chronicle.window("capacity", "capacity"):
            return demand.capacity(_FIRST_LOOK * self.settings.load.rate_rps)

    def offer(self, factor: float, duration_s: float) -> None:
        """Offer this multiple of the measured capacity for a while; it stays when that is over."""
        with self.offering(factor):
            self._pass(f"{factor:g} times the capacity, {duration_s:g} s", duration_s)

    @contextmanager
    def offering(self, factor: float | None = None) -> Iterator[None]:
        """Note the load as a multiple of the measured capacity while the block runs.

        ``factor`` is offered from now on; without it the load is what somebody else made of it,
        such as a surge.
        """
        if factor is not None:
            self._demand().offer(self.capacity().multiple_rps(factor))
        times = self.capacity().factor(self._offered().rate_rps)
        with self._chronicle.window("offered", f"{times:.2g}x"):
            yield

    def bare_cold_start(self, model: ModelSource | None = None) -> Life:
        """One more replica, started beside the fleet, called by nobody, and ended again.

        ``model``: ``"baked"`` into its image or ``"downloaded"`` at its start; without it as the
        fleet has it. An image that is missing is built first, which takes seconds.
        """
        self.progress.doing(
            f"starting a replica beside the fleet{f', model {model}' * bool(model)}"
        )
        with self._chronicle.window("observe", "bare cold start"):
            return self.platform.bare_start(self.settings.platform.probes.start_timeout_s, model)

    @contextmanager
    def limited(self, cpus: float) -> Iterator[None]:
        """Let each replica that there is have no more processors than that while the block runs.

        So that it is the replicas whose capacity is measured, and not that of a machine which has
        to bear generator, balancer and stores besides.
        """
        replicas = self.platform.replicas()
        cpus = self._cpus = min(cpus, self.settings.service.cpus)
        self.recorder.event("replicas.limited", self.name, {"cpus": cpus})
        try:
            for replica in replicas:
                replica.container.limit_cpus(cpus)
            yield
        finally:
            self._cpus = None
            for replica in replicas:
                if replica.is_running():
                    replica.container.limit_cpus(self.settings.service.cpus)

    def scale(self, replicas: int) -> None:
        """Have this many replicas; returns when they are ready and the only ones routed to.

        The next scenario finds the fleet of the settings again.
        """
        self.progress.doing(f"scaling to {replicas} replicas")
        self._scaled = True
        self.platform.scale(replicas)
        self._await_steady_state()

    @contextmanager
    def autoscaling(
        self, max_replicas: int, min_replicas: int | None = None, **changes: float
    ) -> Iterator[None]:
        """Let the load decide on the number of replicas while the block runs.

        The fleet does not shrink below what there is when the block is entered, unless
        ``min_replicas`` says so, and has that size again afterwards. ``changes``: of other keys of
        ``[platform.autoscaler]``, such as ``target_in_flight``.
        """
        before = self.platform.size
        settings = msgspec.structs.replace(
            self.settings.platform.autoscaler,
            min_replicas=min_replicas or before,
            max_replicas=max_replicas,
            **changes,
        )
        self.platform.autoscaling.begin(settings)
        try:
            yield
        finally:
            self.platform.autoscaling.end()
            self.platform.scale(before)
        self._await_steady_state()
        if settings.enabled:  # outside of the block it is the run's own that decides
            self.platform.autoscaling.begin(self.settings.platform.autoscaler)

    def note(self, kind: str, details: Mapping[str, Value]) -> None:
        """Write down what the scenario found out itself, as an event ``scenario.KIND``.

        While load is offered: a history ends with its load. run.json has it under ``notes``.
        """
        self.recorder.event(f"scenario.{kind}", self.name, details)

    @contextmanager
    def inject(self, *faults: Planned) -> Iterator[None]:
        """Disturb while the block runs: entered when all is proven, left when all is healed."""
        if self._load is not None and not self._under_fault:
            self.progress.doing("awaiting a second of right answers")
            steady_state.await_right_answers(self._load, self._load_began_s, self._tick)
        with ExitStack() as stack:
            for planned in faults:
                stack.enter_context(self._injected(planned, faults))
            yield

    def history(self) -> History:
        """What happened in this scenario. Complete once the load has ended."""
        return self._chronicle.history()

    def finish(self) -> None:
        """Leave the platform as the next scenario expects it."""
        if self._scaled:
            self.scale(self.settings.platform.replicas)

    # Beneath

    @contextmanager
    def _injected(self, planned: Planned, together: Sequence[Planned]) -> Iterator[None]:
        targeted = {target.name for each in together for target in each.targets}
        bystanders = self._bystanders(targeted)
        injection = Injection.of(
            planned,
            self.name,
            bystanders,
            self.recorder,
            self.platform.check,
            self.platform.grounds.journal,
            lambda each: resets.carry_out(self.platform.grounds.client, each),
        )
        self.progress.doing(f"injecting {planned.name} into {', '.join(sorted(targeted))}")
        self._under_fault += 1
        try:
            with injection.hold():
                yield
                self.progress.doing(f"awaiting the end of {planned.name}")
        finally:
            self._under_fault -= 1
            self._chronicle.fault(injection.record)

    def _bystanders(self, targeted: set[str]) -> list[Target]:
        """Everything that the faults do not aim at, and that is well now."""
        ready = [replica for replica in self.replicas() if replica.is_ready()]
        services = self.platform.backing()
        spared = {
            each.name for each in services
        } - targeted  # one that is lost takes its path along
        paths = self.platform.storage_paths.undisturbed()
        everything: list[Target] = [
            *ready,
            self.platform.balancer,
            *services,
            *(path for path in paths if path.service in spared),
        ]
        return [each for each in everything if each.name not in targeted]

    def _offered(self) -> LoadProcess:
        if self._load is None:
            raise LoadError("expected a load to be offered; call this inside of under_load()")
        return self._load

    def _demand(self) -> Demand:
        fleet = (self.platform.size, self._cpus or self.settings.service.cpus)
        return Demand(self._offered(), self._tick, self.recorder, self.capacities, fleet)

    def _plan(self, rate_rps: float) -> Plan:
        load = self.settings.load
        self._loads += 1
        return Plan(
            address=self.platform.address,
            rate_rps=rate_rps,
            schedule="constant" if load.schedule == "constant" else "poisson",
            seed=self._choice.randrange(2**31),
            deadline_s=load.deadline_s,
            id_prefix=f"{self.id_prefix}{self._loads}-",
            golden=self.golden,
            model_name=self.settings.service.model,
            retry=retry_policy(self.settings),
            tolerance=self.tolerance,
        )

    def _await_steady_state(self) -> None:
        """All replicas are ready and routed to, before any load counts."""
        self.progress.doing("awaiting the steady state")
        steady_state.await_fleet(self.platform)

    def _pass(self, what: str, duration_s: float) -> None:
        """Let time pass, watching platform and load: an unwatched window proves nothing."""
        ends_s = time.monotonic() + duration_s
        while (left_s := ends_s - time.monotonic()) > 0:
            if self._load is not None:
                so_far = self._load.progress()
                self.progress.doing(f"{what}: {so_far.sent} sent, {so_far.failed} failed")
            self._tick(min(left_s, _TICK_S))

    def _tick(self, duration_s: float = _TICK_S) -> None:
        self.platform.grounds.wait_until(lambda: False, duration_s)
