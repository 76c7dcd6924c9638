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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.assembly import retry_policy
from harness.errors import PlatformError
from harness.fault import Injection, Planned
from harness.fleet import Life
from harness.history import FaultRecord, History, Window, join
from harness.load.plan import Plan
from harness.load.process import LoadProcess
from harness.load.standby import Standby
from harness.platform import Replica, Target
from harness.platforms.docker import DockerPlatform
from harness.progress import Progress
from harness.recorder import Recorder
from harness.settings import Settings

_STEADY_WITHIN_S = 15.0
_TICK_S = 0.1
_WHOLE_SECOND_S = 1.2  # the generator tells of the last second, five times a second


class UnhealthyError(Exception):
    """The service was not in its steady state before the disturbance: nothing can be judged."""


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
    _choice: random.Random = field(init=False)
    _load: LoadProcess | None = None
    _windows: list[Window] = field(default_factory=list)
    _faults: list[FaultRecord] = field(default_factory=list)
    _histories: list[History] = field(default_factory=list)
    _loads: int = 0
    _load_began_s: float = 0.0
    _under_fault: int = 0
    _began_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Everything chosen at random follows from the run's seed and the scenario's name."""
        self._choice = random.Random(f"{self.seed} {self.name}")  # noqa: S311  # repeatable

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

    # Acting

    @contextmanager
    def under_load(self, rate_rps: float | None = None) -> Iterator[None]:
        """Offer load while the block runs; the history of it is there when it ends."""
        plan = self._plan(rate_rps or self.settings.load.rate_rps)
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
                self._collect(load, plan, began_s)
                self.platform.check()
        self.standby.prepare()

    def steady(self, duration_s: float) -> None:
        """Let the undisturbed service work for a while."""
        with self._window("steady", "steady"):
            self._pass(f"steady, {duration_s:g} s", duration_s)

    def observe(self, duration_s: float) -> None:
        """Let time pass while a fault is in force, or after it."""
        with self._window("observe", "observe"):
            self._pass(f"observing, {duration_s:g} s", duration_s)

    def bare_cold_start(self) -> Life:
        """One more replica, started beside the fleet, called by nobody, and ended again."""
        self.progress.doing("starting a replica beside the fleet")
        with self._window("observe", "bare cold start"):
            return self.platform.bare_start(self.settings.platform.probes.start_timeout_s)

    @contextmanager
    def inject(self, *faults: Planned) -> Iterator[None]:
        """Disturb while the block runs: entered when all is proven, left when all is healed."""
        if self._load is not None and not self._under_fault:
            self._await_right_answers()
        with ExitStack() as stack:
            for planned in faults:
                stack.enter_context(self._injected(planned, faults))
            yield

    def history(self) -> History:
        """What happened in this scenario. Complete once the load has ended."""
        windows, faults = tuple(self._windows), tuple(self._faults)
        if self._histories:
            joined = join(tuple(self._histories), self.name)
            return replace(joined, windows=joined.windows + windows, faults=joined.faults + faults)
        now_s = time.monotonic()
        events = self.recorder.events(now_s)
        return History(
            self.name, self._began_s, now_s, windows=windows, faults=faults, events=events
        )

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
        )
        self.progress.doing(f"injecting {planned.name} into {', '.join(sorted(targeted))}")
        self._under_fault += 1
        try:
            with injection.hold():
                yield
                self.progress.doing(f"awaiting the end of {planned.name}")
        finally:
            self._under_fault -= 1
            self._faults.append(injection.record)
            record = injection.record
            if record.effect_s is not None:
                ended_s = record.restored_s or time.monotonic()
                self._windows.append(Window("fault", planned.name, record.injected_s, ended_s))

    def _bystanders(self, targeted: set[str]) -> list[Target]:
        """Everything that the faults do not aim at, and that is well now."""
        ready = [replica for replica in self.replicas() if replica.is_ready()]
        everything: list[Target] = [*ready, self.platform.balancer, *self.platform.backing()]
        return [each for each in everything if each.name not in targeted]

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
        if not self.platform.await_steady(_STEADY_WITHIN_S):
            raise UnhealthyError(
                f"not all replicas were ready and routed to within {_STEADY_WITHIN_S:g} s"
            )

    def _await_right_answers(self) -> None:
        """The gate before every disturbance: a whole second in which every answer was right."""
        self.progress.doing("awaiting a second of right answers")
        deadline_s = time.monotonic() + _STEADY_WITHIN_S
        share = self._share_ok()
        while share < 1.0 or time.monotonic() < self._load_began_s + _WHOLE_SECOND_S:
            if time.monotonic() > deadline_s:
                raise UnhealthyError(
                    f"only {share:.1%} of the last second's answers were right after "
                    f"{_STEADY_WITHIN_S:g} s of undisturbed load"
                )
            self._tick()
            share = self._share_ok()

    def _share_ok(self) -> float:
        share = None if self._load is None else self._load.progress().recent_ok_share
        return 0.0 if share is None else share

    @contextmanager
    def _window(self, kind: str, name: str) -> Iterator[None]:
        began_s = time.monotonic()
        try:
            yield
        finally:
            self._windows.append(Window(kind, name, began_s, time.monotonic()))

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

    def _collect(self, load: LoadProcess, plan: Plan, began_s: float) -> None:
        """Stop the load and gather what everybody says of it."""
        self.progress.doing("collecting the history")
        loaded = load.stop()
        ended_s = time.monotonic()
        self.recorder.event("scenario.ended", self.name, time_s=ended_s)
        self._histories.append(
            History(
                scenario=self.name,
                began_s=began_s,
                ended_s=ended_s,
                requests=loaded.requests,
                attempts=loaded.attempts,
                access=self.platform.access(began_s, ended_s),
                records=self.platform.records(plan.id_prefix),
                usage=self.recorder.usage_between(began_s, ended_s),
                events=self.recorder.events(ended_s),
                windows=tuple(self._windows),
                faults=tuple(self._faults),
                generators=(loaded.generator,),
            )
        )
        self._windows.clear()
        self._faults.clear()
