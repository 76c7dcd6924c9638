"""The offered rate over time: a polyline, and its exact inversion into instants of sending.

A point is (offset in seconds from the first intended send, rate in requests a second). Between two
points the rate goes in a straight line; two points at one offset are a step; after the last point
its rate goes on. So a constant rate is one point, and a burst of 5 s is
``((0, 200), (10, 200), (10, 600), (15, 600), (15, 200))``.
"""

from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.errors import LoadError

Points: TypeAlias = tuple[tuple[float, float], ...]
Numbers: TypeAlias = NDArray[np.float64]

MOST_RPS = 100_000.0


class Profile:
    """A polyline and its integral: what is planned up to an instant, and when a count is reached.

    Raises LoadError for points that do not begin at 0, go back, or offer nothing at all.
    """

    def __init__(self, points: Points) -> None:
        _check(points)
        self.points = points
        self._begins_s, self._rates_rps = np.array(points, dtype=np.float64).T
        self._lengths_s = np.append(np.diff(self._begins_s), np.inf)
        risen = np.append(np.diff(self._rates_rps), 0.0)
        flat = np.zeros_like(risen)
        # A step is a piece without length, and none of its requests.
        self._slopes = np.divide(risen, self._lengths_s, out=flat, where=self._lengths_s > 0)
        areas = self._lengths_s[:-1] * (self._rates_rps[:-1] + self._rates_rps[1:]) / 2
        self._counts = np.concatenate([[0.0], np.cumsum(areas)])

    def rate_at(self, offset_s: float) -> float:
        """Requests a second at an instant; at a step, the rate after it."""
        piece, spent_s = self._find(offset_s, after=True)
        return float(self._rates_rps[piece] + self._slopes[piece] * spent_s)

    def count_at(self, offset_s: float) -> float:
        """Requests from the start to an instant: the integral of the rate."""
        piece, spent_s = self._find(offset_s, after=True)
        mean = self._rates_rps[piece] + self._slopes[piece] * spent_s / 2
        return float(self._counts[piece] + spent_s * mean)

    def offsets(self, counts: Numbers) -> Numbers:
        """When the integral reaches each of these counts; infinite where it never does.

        A count of 0 is reached where the rate first leaves 0.
        """
        found = np.maximum(np.searchsorted(self._counts, counts, side="left") - 1, 0)
        piece = np.where(counts > 0, found, self._first_busy())
        left, rate = counts - self._counts[piece], self._rates_rps[piece]
        # The root t of rate * t + slope * t * t / 2 = left, in the form that cancels nowhere.
        root = rate + np.sqrt(np.maximum(rate * rate + 2 * self._slopes[piece] * left, 0.0))
        never = np.where(left > 0, np.inf, 0.0)
        with np.errstate(over="ignore"):  # a rate of all but 0 is reached all but never
            spent_s = np.divide(2 * left, root, out=never, where=root > 0)
        reached: Numbers = self._begins_s[piece] + np.minimum(spent_s, self._lengths_s[piece])
        return reached

    def changed(self, offset_s: float, rate_rps: float) -> "Profile":
        """The same up to an instant, and one constant rate from there on, which may be 0."""
        kept = tuple(point for point in self.points if point[0] < offset_s)
        if not kept:
            return Profile(((0.0, rate_rps),))
        piece, spent_s = self._find(offset_s, after=False)
        before = float(self._rates_rps[piece] + self._slopes[piece] * spent_s)
        return Profile((*kept, (offset_s, max(0.0, before)), (offset_s, rate_rps)))

    def _find(self, offset_s: float, *, after: bool) -> tuple[int, float]:
        """The piece at an instant, at a step the one after it or before, and the time into it."""
        side = "right" if after else "left"
        piece = max(0, int(np.searchsorted(self._begins_s, offset_s, side=side)) - 1)  # type: ignore[call-overload]
        return piece, offset_s - float(self._begins_s[piece])

    def _first_busy(self) -> int:
        busy = np.flatnonzero((self._rates_rps > 0) | (self._slopes > 0))
        return int(busy[0]) if len(busy) else len(self.points) - 1


def _check(points: Points) -> None:
    good = (
        bool(points)
        and points[0][0] == 0
        and all(0 <= rate <= MOST_RPS for _, rate in points)
        and all(here[0] <= after[0] for here, after in pairwise(points))
        and points[-1][0] < float("inf")
    )
    if not good:
        raise LoadError(
            "the load plan's profile must be points (offset_s, rate_rps) that begin at 0 s, never "
            f"go back, and have rates of 0 to {MOST_RPS:g} rps, but is {points!r}; correct it"
        )
