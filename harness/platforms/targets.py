"""What a suite holds in its hands: replicas, balancer and backing services as targets of faults."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from docker.errors import APIError

from harness.errors import FaultError, PlatformError
from harness.platform import End, Reset
from harness.platforms import knocks
from harness.platforms.backing import accepts_connections
from harness.platforms.child_processes import ChildProcesses
from harness.platforms.containers import Container, Life
from harness.probes import ProbePath


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerTarget:
    """Anything that runs in a container of the run, from one start of it to its end.

    Fits every Protocol of ``harness.platform`` that a target can fit, but for ``Replica``. What is
    started again in the same container is another target: the old one stays dead.
    """

    container: Container
    port: int  # inside: the one that says whether it answers
    knock: knocks.Knock
    helper_image: str  # has a shell and sleep: what gets at the target's processes is made from it
    find_successor: Callable[[], bool]
    find_lineage: Callable[[], Sequence["ContainerTarget"]]
    life_number: int = 0

    @property
    def name(self) -> str:
        """Unique in the run."""
        return self.container.name

    def is_running(self) -> bool:
        """Whether its process is there, by the engine's word."""
        return self._life().end is None and self.container.is_running()

    def answers(self) -> bool:
        """Whether something accepts connections on its port."""
        try:
            return accepts_connections(self._published())
        except ConnectionError:
            return False

    def round_trip_ms(self, within_s: float) -> float:
        """How long it takes to answer the least question of its protocol, on a new connection.

        Raises TimeoutError where no answer comes in time, another OSError where nobody is there.
        """
        return knocks.round_trip_ms(self._published(), self.knock, within_s)

    def identity(self) -> str:
        """Container and process id."""
        return self.container.identity()

    def started_s(self) -> float | None:
        """When its process began to run; None: it has not yet."""
        return self._life().started_s

    def end(self) -> End | None:
        """Its end, by the engine's stream of events; None: there has been none."""
        return self._life().end

    def successor_is_ready(self) -> bool:
        """Whether another one took its place and is ready to serve."""
        return self.find_successor()

    def lineage(self) -> Sequence["ContainerTarget"]:
        """Itself, and all that have taken the place since, oldest first."""
        return self.find_lineage()

    def logs(self, lines: int) -> str:
        """The last lines of what it wrote."""
        return self.container.output(lines=lines).decode(errors="replace")

    def resets(self) -> Sequence[Reset]:
        """Its container is to run unpaused and within its own limits."""
        return (Reset("container", self.container.full_name),)

    def kill(self) -> None:
        """SIGKILL."""
        with _refusals(f"kill {self.name}"):
            self.container.kill()

    def stop(self, grace_s: float) -> None:
        """Its image's stop signal, and SIGKILL where it still runs after the grace."""
        with _refusals(f"stop {self.name}"):
            self.container.stop(grace_s)

    def pause(self) -> None:
        """Freeze all its processes."""
        with _refusals(f"pause {self.name}"):
            self.container.pause()

    def resume(self) -> None:
        """Thaw them. No error where it is not frozen."""
        with _refusals(f"resume {self.name}"):
            if self.container.is_paused():
                self.container.resume()

    def is_paused(self) -> bool:
        """Whether it is frozen, by the engine's word."""
        return self.container.is_paused()

    def children(self) -> AbstractContextManager[ChildProcesses]:
        """A view of the child processes of its first process, through a helper container."""
        return ChildProcesses.of(self.container, self.helper_image)

    def _life(self) -> Life:
        return self.container.lives[self.life_number]

    def _published(self) -> int:
        """Raises ConnectionRefusedError where there is no such port: not yet, or never."""
        try:
            return self.container.published(self.port, self.life_number)
        except PlatformError as error:
            raise ConnectionRefusedError(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaTarget(ContainerTarget):
    """A replica; fits ``harness.platform.Replica``."""

    ask_ready: Callable[[], bool]
    find_path: Callable[[], ProbePath]

    @property
    def address(self) -> str:
        """Where it listens for gRPC inside the run's network."""
        return f"{self.container.spec.address}:{self.port}"

    def is_ready(self) -> bool:
        """What the platform's readiness probe last said."""
        return self.ask_ready()

    def probe_path(self) -> ProbePath:
        """The way from the platform's probe to it, and what was heard there."""
        return self.find_path()


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """What the engine refuses to do, as a fault that could not be injected or healed."""
    try:
        yield
    except APIError as error:
        raise FaultError(f"could not {what}: {error.explanation or error}") from error
