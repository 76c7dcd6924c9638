"""One replica: made from its image, started, probed, examined, and asked to end."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from harness.errors import MayflyError, PlatformError
from harness.examiner import Examiner
from harness.history import Value
from harness.platforms.containers import LOOPBACK, Container, Spec
from harness.platforms.grounds import Grounds, Variant
from harness.platforms.roster import Roster
from harness.platforms.watcher import watch_usage
from harness.probes import Prober, Told, Unlive


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom to tell what the probes of a replica say."""

    told: Told
    unlive: Unlive


class ReplicaStarter:
    """Starts replicas and looks after each until it ends."""

    def __init__(
        self,
        grounds: Grounds,
        placeholders: Mapping[str, str],
        pool: ThreadPoolExecutor,
        roster: Roster,
        listeners: Listeners,
    ) -> None:
        self._grounds = grounds
        self._service = grounds.settings.service
        self._placeholders = placeholders
        self._pool = pool
        self._roster = roster
        self._listeners = listeners
        blueprint = grounds.blueprint
        self._examiner = Examiner.of(
            self._service.model, blueprint.golden, blueprint.run_id, blueprint.tolerance
        )
        self._probers: dict[str, Prober] = {}
        self._examined: set[str] = set()
        self._closing = threading.Event()
        self._starts = ThreadPoolExecutor(1, thread_name_prefix="starts")

    def order(self, name: str, variant: Variant, details: Mapping[str, Value]) -> None:
        """Start one in the background, after those ordered before. The details go into the event.

        The engine makes containers one after the other anyway. Ordered at once they would all wait
        for it, and then load their models at the same moment.
        """
        if not self._closing.is_set():
            details = {**details, "model": variant.model}
            self._starts.submit(self._run, name, variant, details)

    def stop(self, name: str) -> None:
        """Ask it to end, in the background: it drains for as long as the service's grace."""
        prober = self._probers.get(name)
        if prober is not None:
            prober.stop()
        container = self._roster.container(name)
        if container is not None and container.has_started:
            self._pool.submit(container.stop, self._service.stop_grace_s)

    def forget(self, name: str) -> None:
        """Probe it no more."""
        if name in self._probers:
            self._probers[name].stop()

    def examine(self, name: str) -> None:
        """Its first golden answers, asked directly in the background; only the first time."""
        if name not in self._examined:
            self._examined.add(name)
            self._pool.submit(self._examine, name)

    def close(self) -> None:
        """Start and probe nobody any more; returns when no start is under way."""
        self._closing.set()
        self._starts.shutdown(wait=True, cancel_futures=True)
        for prober in list(self._probers.values()):
            prober.stop()

    def _run(self, name: str, variant: Variant, details: Mapping[str, Value]) -> None:
        """Start one replica and begin to probe it, unless it is no longer wanted."""
        if self._roster.is_leaving(name) or self._closing.is_set():
            return
        self._grounds.recorder.event("replica.ordered", name, details)
        try:
            container = self._start(name, variant)
            prober = self._prober(name, container)
        except MayflyError as error:
            if not self._closing.is_set() and not self._has_ended(name):
                self._grounds.fail(error)
            return
        self._probers[name] = prober
        self._roster.set_path(name, prober.path)
        if self._roster.is_leaving(name):
            self.stop(name)
        elif not self._roster.is_dead(name):
            prober.start()
            watch_usage(container, self._grounds.recorder)

    def _has_ended(self, name: str) -> bool:
        """Whether it ran and ended at once: the engine then tells of a death, which is enough."""
        container = self._roster.container(name)
        return container is not None and container.has_started and not container.is_running()

    def _start(self, name: str, variant: Variant) -> Container:
        spec = self._spec(name, variant)
        container = Container(spec)
        self._roster.add(container)
        container.start()
        self._grounds.recorder.event(
            "replica.started",
            name,
            {
                "address": f"{spec.address}:{self._service.port}",
                "container": container.id,
                "hostname": container.id,
                "image": spec.image,
            },
        )
        return container

    def _spec(self, name: str, variant: Variant) -> Spec:
        service = self._service
        ports = {port: None for port in (service.port, service.http_port) if port is not None}
        environment = dict(service.environment)
        if variant.model == "baked":
            environment |= service.baked_environment
        environment |= variant.environment
        fill = {**self._placeholders, "replica": name}
        return replace(
            self._grounds.spec(name, "replica", ports, variant.image),
            environment={key: value.format_map(fill) for key, value in environment.items()},
            cpus=service.cpus,
            memory_mb=service.memory_mb,
            user=str(service.user),
        )

    def _prober(self, name: str, container: Container) -> Prober:
        service = self._service
        http = f"{LOOPBACK}:{container.published(service.http_port)}" if service.http_port else None
        return Prober(
            name,
            f"{LOOPBACK}:{container.published(service.port)}",
            http,
            service.model,
            self._grounds.settings.platform.probes,
            self._grounds.recorder,
            self._listeners.told,
            self._listeners.unlive,
        )

    def _examine(self, name: str) -> None:
        """A replica that dies under its examination passes none."""
        container = self._roster.container(name)
        assert container is not None
        try:
            seen = self._examiner.examine(
                name, f"{LOOPBACK}:{container.published(self._service.port)}"
            )
        except PlatformError as error:
            self._grounds.recorder.event("replica.examination_failed", name, {"why": str(error)})
            return
        self._grounds.recorder.event(
            "replica.first_correct", name, seen.details, seen.first_correct_s
        )
        self._grounds.changed()
