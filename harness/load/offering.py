"""The running load as something that faults may aim at."""

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.errors import LoadError
from harness.load.process import LoadProcess
from harness.platform import Target

_FRESH_S = 1.0  # a generator reports five times a second


@runtime_checkable
class Offering(Target, Protocol):
    """A load that can be told another rate."""

    @property
    def rate_rps(self) -> float:
        """What it is to offer now."""

    def set_rate(self, rate_rps: float) -> float:
        """Offer this rate from now on; the monotonic instant from which that holds."""

    def sent(self) -> tuple[float, int]:
        """How many requests it has really sent, and the monotonic instant of that count."""


@dataclass(frozen=True, slots=True)
class RunningLoad:
    """A load generator as a target: the experiment's own load, or another one beside it."""

    process: LoadProcess

    @property
    def name(self) -> str:
        """Unique in the run, as its prefix of request ids is."""
        return f"load {self.process.plan.id_prefix.rstrip('-')}"

    @property
    def rate_rps(self) -> float:
        """What it is to offer now."""
        return self.process.rate_rps

    def set_rate(self, rate_rps: float) -> float:
        """Offer this rate from now on; the monotonic instant from which that holds."""
        return self.process.set_rate(rate_rps)

    def sent(self) -> tuple[float, int]:
        """How many requests it has really sent, and the monotonic instant of that count."""
        progress = self.process.progress()
        return progress.at_s, progress.sent

    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.process.is_running()

    def answers(self) -> bool:
        """Whether it has reported within the last second."""
        try:
            return time.monotonic() - self.process.progress().at_s < _FRESH_S
        except LoadError:
            return False

    def identity(self) -> str:
        """Its process id."""
        return str(self.process.pid)

    def successor_is_ready(self) -> bool:
        """Nobody replaces a load generator."""
        return False

    def logs(self, lines: int) -> str:
        """The last lines of its stderr."""
        return "\n".join(self.process.stderr().splitlines()[-lines:])
