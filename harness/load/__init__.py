"""Open-loop load from a process of its own: what every generator offers to an experiment.

``harness.load.process.LoadProcess`` is the generator, on frames of its own (``harness.load.http2``)
or on grpc.aio; another one fits behind ``Load``.
"""

from dataclasses import dataclass
from typing import Protocol

from harness.history import Generator
from harness.tables import Table


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run goes, as the generator last told (every 0.2 s)."""

    sent: int = 0  # requests, not attempts
    done: int = 0  # requests whose outcome is known
    failed: int = 0  # of these: ended with a status other than OK
    wrong: int = 0  # of these: OK, but not the golden answer
    retries: int = 0
    lag_p99_ms: float = 0.0  # actual minus intended send time, over the last second
    recent_ok_share: float | None = None  # OK and right, of what ended in the last second; 0 to 1
    at_s: float = 0.0  # monotonic: when this was so


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the generator had to work with, which decides how far its times can be trusted."""

    priority: str  # "real time" where that is allowed, else "nice -10" or what it inherited
    pacing: str  # "timerfd" (exact) or "event loop" (quantised to about 1 ms)
    cpu_s: float  # processor seconds from begin to the last outcome


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that one run of load left behind."""

    requests: Table  # harness.tables.REQUEST, in the order of the schedule
    attempts: Table  # harness.tables.ATTEMPT, in the order in which they ended
    generator: Generator
    conditions: Conditions


class Load(Protocol):
    """One run of load. Every method raises LoadError if the generator could not do its work."""

    def begin(self) -> float:
        """Start offering load; the monotonic time in seconds of the first intended send."""
        ...

    def set_rate(self, rate_rps: float) -> float:
        """Offer one constant rate from now on; the monotonic time at which that took effect."""
        ...

    def progress(self) -> Progress:
        """Tell the last report, without waiting for a new one."""
        ...

    def stop(self) -> Loaded:
        """Offer no more, wait for what is in flight (at most its deadline), hand all over."""
        ...
