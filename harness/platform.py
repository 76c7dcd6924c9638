"""What a platform is to faults and suites: small Protocols, none of which knows Docker.

What only some platforms can do is a Protocol of its own; a fault asks for the narrowest.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from harness.history import Value


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
class Killable(Target, Protocol):
    """A target that can be ended without being asked."""

    def kill(self) -> None:
        """SIGKILL; returns when the engine has carried it out."""


@runtime_checkable
class Replica(Killable, Protocol):
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

    def backing(self) -> Sequence[Killable]:
        """The backing services that run."""

    def conditions(self) -> dict[str, Value]:
        """What the report has to say of the platform."""
