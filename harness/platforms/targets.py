"""What a suite holds in its hands: replicas, balancer and backing services as targets of faults."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.platforms.backing import accepts_connections
from harness.platforms.containers import Container


@dataclass(frozen=True, slots=True)
class ContainerTarget:
    """Anything that runs in a container of the run; fits ``harness.platform.Killable``."""

    container: Container
    port: int  # inside: the one that says whether it answers
    find_successor: Callable[[], bool]

    @property
    def name(self) -> str:
        """Unique in the run."""
        return self.container.name

    def is_running(self) -> bool:
        """Whether its process is there, by the engine's word."""
        return self.container.is_running()

    def answers(self) -> bool:
        """Whether something accepts connections on its port."""
        return accepts_connections(self.container.published(self.port))

    def identity(self) -> str:
        """Container and process id."""
        return self.container.identity()

    def successor_is_ready(self) -> bool:
        """Whether another one took its place and is ready to serve."""
        return self.find_successor()

    def logs(self, lines: int) -> str:
        """The last lines of what it wrote."""
        return self.container.output(lines=lines).decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL."""
        self.container.kill()


@dataclass(frozen=True, slots=True)
class ReplicaTarget(ContainerTarget):
    """A replica; fits ``harness.platform.Replica``."""

    ask_ready: Callable[[], bool]

    @property
    def address(self) -> str:
        """Where it listens for gRPC inside the run's network."""
        return f"{self.container.spec.address}:{self.port}"

    def is_ready(self) -> bool:
        """What the platform's readiness probe last said."""
        return self.ask_ready()
