"""Keeps one nginx running at one port, whatever happens to it, with the routes of the moment."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from docker.errors import APIError

from harness import nginx
from harness.errors import MayflyError
from harness.platforms import knocks
from harness.platforms.balancer import NginxBalancer, free_port
from harness.platforms.containers import LOOPBACK, Container, Spec
from harness.platforms.grounds import Grounds
from harness.platforms.targets import ContainerTarget
from harness.platforms.watcher import watch_usage

_NOT_RUNNING = 409


class BalancerKeeper:
    """The balancer in charge and those before it. A dead one is replaced behind the same port."""

    def __init__(self, grounds: Grounds, pool: ThreadPoolExecutor) -> None:
        self._grounds = grounds
        self._pool = pool
        choice = random.Random(grounds.blueprint.run_id)  # noqa: S311  # picks a port, keeps no secret
        self._port = free_port(choice)
        self._lock = threading.RLock()
        self._history: list[NginxBalancer] = []
        self._serving: set[str] = set()
        self._routes: tuple[nginx.Route, ...] = ()
        self._in_force: set[str] = set()
        self._told = (0, 0)  # balancer and generation of routes that were last seen in force

    @property
    def address(self) -> str:
        """The load's only door."""
        return f"{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start one and return when it serves."""
        with self._lock:
            name = f"balancer-{len(self._history) + 1}"
            routes = self._routes
            platform = self._grounds.settings.platform
            settings, fleet = platform.balancer, platform.replicas
            folder = self._grounds.folder(name)
            balancer = NginxBalancer(self._spec(name), folder, routes, settings, fleet)
            self._history.append(balancer)
            number = len(self._history)
        recorder = self._grounds.recorder
        recorder.event("balancer.ordered", name)
        balancer.start()
        recorder.event("balancer.ready", name)
        self._tell_routes((number, 0), routes)
        watch_usage(balancer.container, recorder)
        with self._lock:
            if balancer.container.lives[-1].end is None:
                self._serving.add(name)
            changed = routes != self._routes
        if changed:
            self.route(self._routes)
        self._grounds.changed()

    def route(self, routes: Sequence[nginx.Route]) -> None:
        """Send calls to these replicas from now on; returns before the change is in force."""
        with self._lock:
            self._routes = tuple(routes)
            current = self._current()
            if current is None:
                return  # the next one starts with these routes
            try:
                which = (len(self._history), current.route(routes))
            except APIError as error:
                if error.status_code == _NOT_RUNNING:
                    return  # it has just died: its successor starts with these routes
                raise
        self._pool.submit(self._await, current, which, tuple(routes))

    def died(self, name: str) -> bool:
        """Whether it was a balancer that died; if so, its replacement is under way."""
        with self._lock:
            if all(each.container.name != name for each in self._history):
                return False
            self._serving.discard(name)
        self._grounds.recorder.event("balancer.died", name)
        self._pool.submit(self._replace)
        return True

    def target(self) -> ContainerTarget:
        """The one in charge, as a target of faults."""
        with self._lock:
            return self._target(len(self._history))

    def in_force(self) -> frozenset[str]:
        """The replicas that the balancer in charge sends calls to."""
        with self._lock:
            return frozenset(self._in_force) if self._current() else frozenset()

    def in_flight(self) -> int | None:
        """How many calls the balancer in charge has under way; None: none is, or it is silent."""
        with self._lock:
            current = self._current()
        return None if current is None else current.in_flight()

    def access_lines(self, since_s: float) -> list[bytes]:
        """Lines of all access logs since an instant of the wall clock, the dead ones' included."""
        with self._lock:
            balancers = list(self._history)
        return [line for each in balancers for line in each.access_lines(since_s)]

    def containers(self) -> Sequence[Container]:
        """All that ever ran, oldest first."""
        with self._lock:
            return [each.container for each in self._history]

    def _target(self, position: int) -> ContainerTarget:
        # Its successor takes the port over: its own status port tells whether it answers.
        return ContainerTarget(
            container=self._history[position - 1].container,
            port=nginx.STATUS_PORT,
            knock=knocks.NGINX,
            helper_image=self._grounds.blueprint.images["balancer"],
            find_successor=lambda: self._has_successor(position),
            find_lineage=lambda: self._lineage(position),
        )

    def _lineage(self, position: int) -> Sequence[ContainerTarget]:
        with self._lock:
            return [self._target(each) for each in range(position, len(self._history) + 1)]

    def _has_successor(self, position: int) -> bool:
        with self._lock:
            later = self._history[position:]
            return any(each.container.name in self._serving for each in later)

    def _current(self) -> NginxBalancer | None:
        latest = self._history[-1] if self._history else None
        return latest if latest and latest.container.name in self._serving else None

    def _replace(self) -> None:
        try:
            self.start()
        except MayflyError as error:
            with self._lock:
                latest = self._history[-1].container
            # A death in mid-start leads to another start.
            if latest.lives[-1].end is None and latest.is_running():
                self._grounds.fail(error)

    def _await(
        self, balancer: NginxBalancer, which: tuple[int, int], routes: tuple[nginx.Route, ...]
    ) -> None:
        try:
            balancer.await_generation(which[1])
        except MayflyError as error:
            if balancer.container.name in self._serving:
                self._grounds.fail(error)
            return
        self._tell_routes(which, routes)

    def _tell_routes(self, which: tuple[int, int], routes: Sequence[nginx.Route]) -> None:
        """Note what is in force now, and which replicas came or went with it.

        Changes are awaited side by side, so an older one may be seen in force after a newer one.
        """
        recorder = self._grounds.recorder
        with self._lock:
            if which < self._told:
                return
            self._told = which
            before, self._in_force = self._in_force, {route.replica for route in routes}
            after = self._in_force
        recorder.event("balancer.routes", "balancer", nginx.routes_detail(routes))
        for name in sorted(after - before):
            recorder.event("replica.routed", name)
        for name in sorted(before - after):
            recorder.event("replica.unrouted", name)
        self._grounds.changed()

    def _spec(self, name: str) -> Spec:
        ports = {nginx.PORT: self._port, nginx.STATUS_PORT: None}
        grounds = self._grounds
        return replace(
            grounds.spec(name, "balancer", ports, grounds.blueprint.images["balancer"]),
            memory_mb=128,
        )
