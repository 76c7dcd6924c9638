"""The capacity of the service: what it sustains and what it reaches, found in the run that uses it.

It is looked for from below, in growing steps, because a service that was driven far beyond its
capacity may not show it any more: that is what the overload clauses are to find out, and no measure
may rest on it. A rate counts as sustained where nearly every request ends as it should, as fast as
they are sent. What follows the first rate that is not sustained narrows the gap between the two. At
last twice of what was reached is offered: that cannot make the capacity less, only more.

Some services do more when more is asked of them, because they then answer in larger batches: what
they reach, the most right answers a second in any look, is more than a rate that they sustain. A
load below the capacity is a share of what is sustained; at the capacity and above, a multiple of
what is reached, for else twice of it would not be twice.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import PlatformError

GROWTH = 1.5
NARROWINGS = 2
LEAST_RPS = 5.0
_ROUNDING = 0.999999


@dataclass(frozen=True, slots=True)
class Look:
    """What came of one rate: whether it was sustained, and the right answers, in requests/s."""

    sustained: bool
    good_rps: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was found, and by which steps: (rate in requests a second, whether it was sustained)."""

    sustained_rps: float
    reached_rps: float  # at least as much
    steps: tuple[tuple[float, bool], ...]

    def multiple_rps(self, factor: float) -> float:
        """The rate at a factor of the capacity."""
        return factor * (self.sustained_rps if factor < 1.0 else self.reached_rps)

    def factor(self, rate_rps: float) -> float:
        """The factor that a rate is at."""
        reached = rate_rps >= self.reached_rps * _ROUNDING
        return rate_rps / (self.reached_rps if reached else self.sustained_rps)

    def told(self) -> str:
        """The steps in words."""
        return ", ".join(f"{rate:.0f} {'ok' if good else 'too much'}" for rate, good in self.steps)


def find(look: Callable[[float], Look], first_rps: float, most_rps: float = 50_000.0) -> Capacity:
    """Try rates from ``first_rps`` on, at most ``most_rps``; ``look`` offers one and tells.

    Raises PlatformError where not even a rate of 5 requests a second is sustained.
    """
    steps: list[tuple[float, bool]] = []

    most_good_rps = 0.0

    def tried(rate_rps: float) -> bool:
        nonlocal most_good_rps
        seen = look(rate_rps)
        steps.append((rate_rps, seen.sustained))
        most_good_rps = max(most_good_rps, min(seen.good_rps, rate_rps))
        return seen.sustained

    def confirmed(rate_rps: float) -> bool:
        return tried(rate_rps) or tried(rate_rps)

    # One stall of the machine must not cap what all else goes by: too much is too much twice.
    good_rps, bad_rps = _bracket(confirmed, first_rps, most_rps)
    for _ in range(NARROWINGS if math.isfinite(bad_rps) else 0):
        middle_rps = math.sqrt(good_rps * bad_rps)
        if tried(middle_rps):
            good_rps = middle_rps
        else:
            bad_rps = middle_rps
    if math.isfinite(bad_rps):
        tried(min(2.0 * max(good_rps, most_good_rps), most_rps))
    return Capacity(good_rps, max(good_rps, most_good_rps), tuple(steps))


def _bracket(
    tried: Callable[[float], bool], first_rps: float, most_rps: float
) -> tuple[float, float]:
    """A rate that is sustained, and the next higher one, which is not; infinite if none was."""
    rate_rps, bad_rps = first_rps, math.inf
    while not tried(rate_rps):
        bad_rps, rate_rps = rate_rps, max(rate_rps / GROWTH, LEAST_RPS)
        if bad_rps <= LEAST_RPS:
            raise PlatformError(
                f"expected the service to sustain {LEAST_RPS:g} requests a second at least, but "
                f"it did not sustain {bad_rps:.0f}; look at its log, and at load.deadline_s"
            )
    if math.isfinite(bad_rps):
        return rate_rps, bad_rps
    while rate_rps < most_rps:
        higher_rps = min(rate_rps * GROWTH, most_rps)
        if not tried(higher_rps):
            return rate_rps, higher_rps
        rate_rps = higher_rps
    return rate_rps, math.inf
