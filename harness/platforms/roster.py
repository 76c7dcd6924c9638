"""What is known of each replica that ever ran: ready, dead, leaving, by whom replaced."""

import threading
from collections.abc import Mapping, Sequence

from harness.platforms import knocks
from harness.platforms.backing import accepts_connections
from harness.platforms.containers import Container
from harness.platforms.targets import ReplicaTarget
from harness.probes import ProbePath
from harness.surfaces import Way


class Roster:
    """The replicas of a run by name. Written by the control loop, read by everybody."""

    def __init__(self, port: int, helper_image: str) -> None:
        self._port = port  # on which replicas listen for gRPC
        self._helper_image = helper_image
        self._lock = threading.RLock()
        self._containers: dict[str, Container] = {}
        self._ready: set[str] = set()
        self._dead: dict[str, int] = {}
        self._leaving: set[str] = set()
        self._spares: set[str] = set()
        self._paths: dict[str, ProbePath] = {}
        self._successors: dict[str, str] = {}

    def add(self, container: Container) -> None:
        """One more, under the name of its container."""
        with self._lock:
            self._containers[container.name] = container

    def succeeds(self, successor: str, predecessor: str) -> None:
        """The one takes the other's place."""
        with self._lock:
            self._successors[predecessor] = successor

    def set_ready(self, name: str, ready: bool) -> None:
        """What the readiness probe says of it now. Nobody who leaves is ready."""
        with self._lock:
            if ready and name not in self._leaving:
                self._ready.add(name)
            else:
                self._ready.discard(name)

    def set_dead(self, name: str, exit_code: int) -> None:
        """Its process ended."""
        with self._lock:
            self._ready.discard(name)
            self._dead[name] = exit_code

    def set_leaving(self, name: str) -> None:
        """It is to end: no part of the fleet any more, and no target."""
        with self._lock:
            self._ready.discard(name)
            self._leaving.add(name)

    def set_spare(self, name: str) -> None:
        """It runs beside the fleet: no target of faults."""
        with self._lock:
            self._spares.add(name)

    def set_path(self, name: str, path: ProbePath) -> None:
        """The way that the platform's probe takes to it."""
        with self._lock:
            self._paths[name] = path

    def ways(self) -> Mapping[str, Way]:
        """Where each living replica can be asked directly, the spares included."""
        with self._lock:
            return {
                name: path.direct for name, path in self._paths.items() if name not in self._dead
            }

    def container(self, name: str) -> Container | None:
        """Where it runs, or ran; None before it was made."""
        with self._lock:
            return self._containers.get(name)

    def is_dead(self, name: str) -> bool:
        """Whether its process has ended."""
        return name in self._dead

    def is_leaving(self, name: str) -> bool:
        """Whether it is to end, or has."""
        return name in self._leaving

    def has_casualties(self) -> bool:
        """Whether any replica has ended yet that was not to end."""
        with self._lock:
            return bool(self._dead.keys() - self._leaving - self._spares)

    def containers(self) -> Sequence[Container]:
        """All that ever ran, oldest first."""
        with self._lock:
            return list(self._containers.values())

    def targets(self) -> Sequence[ReplicaTarget]:
        """The replicas that are alive and to stay so, oldest first."""
        with self._lock:
            outside = {*self._dead, *self._leaving, *self._spares}
            return [
                self._target(container)
                for name, container in self._containers.items()
                if name not in outside
            ]

    def explain(self) -> str:
        """Why the fleet is not complete: for an error message."""
        with self._lock:
            for name, code in self._dead.items():
                tail = self._containers[name].output(lines=6).decode(errors="replace").strip()
                return f"{name} ended with exit code {code}; its last lines:\n{tail}"
            waiting = [
                (name, each)
                for name, each in self._containers.items()
                if name not in self._ready and name not in self._leaving
            ]
        for name, container in waiting:
            tail = container.output(lines=6).decode(errors="replace").strip() or "(none)"
            if not accepts_connections(container.published(self._port)):
                return (
                    f"{name} runs, but nobody listens on its port {self._port}: mend service.port "
                    f"in resilience.toml, or the service. Its last lines:\n{tail}"
                )
            return f"{name} listens on port {self._port}, but is not ready. Its last lines:\n{tail}"
        return "no replica was started"

    def _target(self, container: Container) -> ReplicaTarget:
        name = container.name
        return ReplicaTarget(
            container=container,
            port=self._port,
            knock=knocks.GRPC,
            helper_image=self._helper_image,
            find_successor=lambda: self._has_ready_successor(name),
            find_lineage=lambda: self._lineage(name),
            ask_ready=lambda: name in self._ready,
            find_path=lambda: self._paths[name],
        )

    def _lineage(self, name: str) -> Sequence[ReplicaTarget]:
        """It, and whoever took its place since, as far as there are containers of them yet."""
        with self._lock:
            line = []
            following: str | None = name
            while following is not None and (container := self._containers.get(following)):
                line.append(self._target(container))
                following = self._successors.get(following)
            return line

    def _has_ready_successor(self, name: str) -> bool:
        """Whether whoever took the place, or took it from those who did, is ready."""
        with self._lock:
            successor = self._successors.get(name)
            while successor is not None:
                if successor in self._ready:
                    return True
                successor = self._successors.get(successor)
            return False
