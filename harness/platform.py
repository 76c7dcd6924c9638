"""What a platform is to faults and suites: small Protocols, none of which knows Docker.

What only some platforms can do is a Protocol of its own; a fault asks for the narrowest.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from harness.history import Value
from harness.probes import ProbePath


@dataclass(frozen=True, slots=True)
class Reset:
    """How to bring something back to its undisturbed state, by whoever finds it, whenever.

    It is written to the undo journal, so it holds no object of this process. ``container``: the
    container ``subject`` runs unpaused and within its own limits; ``proxy``: the proxy whose
    control API is at ``where`` (a URL) has no rule in force for the path ``subject``.
    """

    kind: Literal["container", "proxy"]
    subject: str
    where: str = ""


@runtime_checkable
class Target(Protocol):
    """Something that runs and can be lost: a replica, the balancer, a backing service."""

    @property
    def name(self) -> str:
        """Unique in the run, never used again."""

    def is_running(self) -> bool:
        """Whether its process is there, by the engine's word."""

    def answers(self) -> bool:
        """Whether it accepts connections on its port: a path that the engine has no part in."""

    def identity(self) -> str:
        """What changes when it is restarted or replaced."""

    def successor_is_ready(self) -> bool:
        """Whether another one took its place and is ready to serve."""

    def logs(self, lines: int) -> str:
        """The last lines of what it wrote."""


@runtime_checkable
class Resettable(Target, Protocol):
    """A target that stays disturbed when the harness dies, unless somebody resets it."""

    def resets(self) -> Sequence[Reset]:
        """What undoes whatever a fault may do to it; carrying it out twice does no harm."""


@runtime_checkable
class Killable(Target, Protocol):
    """A target that can be ended without being asked."""

    def kill(self) -> None:
        """SIGKILL; returns when the engine has carried it out."""


@dataclass(frozen=True, slots=True)
class End:
    """That a process ended, as the engine told of it; 137 is the exit code of a SIGKILL."""

    exit_code: int
    time_s: float


@runtime_checkable
class Mortal(Target, Protocol):
    """A target whose beginning and end are known to the instant."""

    def started_s(self) -> float | None:
        """When its process began to run; None: it has not yet."""

    def end(self) -> End | None:
        """Its end, by the engine's stream of events; None: there has been none."""


@runtime_checkable
class Stoppable(Mortal, Protocol):
    """A target that can be asked to end."""

    def stop(self, grace_s: float) -> None:
        """Ask it to end by its image's stop signal, SIGTERM unless the image says otherwise.

        SIGKILL where it still runs after the grace; returns when it has ended.
        """


@runtime_checkable
class Pausable(Target, Protocol):
    """A target that can be frozen with all that it holds, and thawed."""

    def pause(self) -> None:
        """Freeze all its processes; its connections stay open, and nobody answers on them."""

    def resume(self) -> None:
        """Thaw them. No error where it is not frozen."""

    def is_paused(self) -> bool:
        """Whether it is frozen, by the engine's word."""

    def round_trip_ms(self, within_s: float) -> float:
        """How long it takes to answer the least question of its protocol, on a new connection.

        Raises TimeoutError where no answer comes in time, another OSError where nobody is there.
        """


@runtime_checkable
class Succeeded(Killable, Mortal, Protocol):
    """A target whose place the platform fills again, whenever it falls vacant."""

    def round_trip_ms(self, within_s: float) -> float:
        """As that of ``Pausable``."""

    def lineage(self) -> Sequence["Succeeded"]:
        """Itself, and all that have taken the place since, oldest first."""


class Children(Protocol):
    """The child processes of a target's first process, by their process ids inside."""

    def running(self) -> Mapping[int, str]:
        """Process id to what tells it from an earlier or later one with the same id."""

    def kill(self, pid: int) -> None:
        """SIGKILL."""


@runtime_checkable
class Parent(Succeeded, Protocol):
    """A target whose child processes can be got at."""

    def children(self) -> AbstractContextManager[Children]:
        """A view of them, with whatever it needs; gone when the block is left."""


@runtime_checkable
class Probed(Target, Protocol):
    """A target that the platform asks for its health."""

    def probe_path(self) -> ProbePath:
        """The way from the platform's probe to it, and what was heard there."""


@runtime_checkable
class Replica(Stoppable, Pausable, Parent, Probed, Protocol):
    """One running copy of the service under test."""

    @property
    def address(self) -> str:
        """Where it listens for gRPC inside the run's network, as host:port."""

    def is_ready(self) -> bool:
        """What the platform's readiness probe last said."""


class Platform(Protocol):
    """Schedules, probes, routes and replaces. Everything that a scenario may look at or disturb."""

    @property
    def address(self) -> str:
        """The balancer, as host:port on 127.0.0.1: the load's only door."""

    @property
    def balancer(self) -> Killable:
        """The balancer that is in charge now."""

    def replicas(self) -> Sequence[Replica]:
        """The replicas that are alive, oldest first."""

    def scale(self, replicas: int) -> None:
        """Have this many replicas from now on; what is too many ends gracefully."""

    def backing(self) -> Sequence[Killable]:
        """The backing services that run."""

    def conditions(self) -> dict[str, Value]:
        """What the report has to say of the platform."""
