"""Load in multiples of the capacity that was measured in the same run."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.capacity import Capacity, Look, find
from harness.errors import PlatformError
from harness.history import Value
from harness.load import Load, Progress
from harness.recorder import Recorder

_SETTLE_S = 0.4  # from a new rate to where its own requests end
_LOOK_S = 1.5
_SUSTAINED_SHARE = 0.95
"""Right answers over requests sent, in one look, and none of them for a retry: retries would hide
for a while that there is too much. A short queue, which is what makes refusals quick, refuses some
of a burst below the capacity; beyond it, one request in twenty is soon one in five."""
_CALM_WITHIN_S = 5.0


Fleet: TypeAlias = tuple[int, float]
"""Number of replicas, and processors of each: what a capacity is the capacity of."""


@dataclass(frozen=True, slots=True)
class Capacities:
    """What was measured in this run, once for each kind of fleet."""

    of: dict[Fleet, Capacity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demand:
    """The load of one scenario, told to offer more or less of what the service can bear."""

    load: Load
    wait: Callable[[float], None]
    """Lets seconds pass, and raises what makes going on pointless."""
    recorder: Recorder
    measured: Capacities
    fleet: Fleet

    def offer(self, rate_rps: float) -> float:
        """Offer this rate from now on; the instant at which that took effect."""
        at_s = self.load.set_rate(rate_rps)
        self.recorder.event("load.rate", "load", {"rps": round(rate_rps, 1)}, at_s)
        return at_s

    def capacity(self, first_rps: float) -> Capacity:
        """The capacity, measured now if nobody has yet; the load offers ``first_rps`` then."""
        if self.fleet not in self.measured.of:
            began_s = time.monotonic()
            found = find(self._look, first_rps)
            self._calm(first_rps)
            self.measured.of[self.fleet] = found
            took_s = round(time.monotonic() - began_s, 2)
            self.tell({"steps": found.told(), "took_s": took_s})
        return self.measured.of[self.fleet]

    def tell(self, more: Mapping[str, Value] | None = None) -> None:
        """Write the capacity down: from now on, loads are multiples of it."""
        replicas, cpus = self.fleet
        found = self.measured.of[self.fleet]
        details = {
            "rps": round(found.sustained_rps, 1),
            "reached_rps": round(found.reached_rps, 1),
            "replicas": replicas,
            "cpus": cpus,
            **(more or {}),
        }
        self.recorder.event("capacity.measured", "service", details)

    def _look(self, rate_rps: float) -> Look:
        self.offer(rate_rps)
        self.wait(_SETTLE_S)
        before = self.load.progress()
        self.wait(_LOOK_S)
        after = self.load.progress()
        at_once = _good(after) - after.retries - _good(before) + before.retries
        sustained = at_once >= _SUSTAINED_SHARE * (after.sent - before.sent)
        if not sustained:
            self._calm(rate_rps / 2)
        return Look(sustained, at_once / _LOOK_S)

    def _calm(self, rate_rps: float) -> None:
        """Offer little until every answer of a second is right: what was too much is over."""
        self.offer(rate_rps)
        deadline_s = time.monotonic() + _CALM_WITHIN_S
        while self.load.progress().recent_ok_share != 1.0:
            if time.monotonic() > deadline_s:
                raise PlatformError(
                    f"expected only right answers at {rate_rps:.0f} requests a second, half of "
                    f"what was too much, but some fail {_CALM_WITHIN_S:g} s later; the service "
                    "does not recover from a short overload: look at its log"
                )
            self.wait(0.1)


def _good(progress: Progress) -> int:
    return progress.done - progress.failed - progress.wrong
