"""When each request is meant to be sent: endless, and the same again for the same seed.

Requests are counted first, at a rate of one: 0, 1, 2, … or with exponential gaps. A profile then
says when each count is reached (the inversion of a Poisson process: Cinlar, "Introduction to
Stochastic Processes", 1975, ch. 4). So a change of the rate moves the instants and draws nothing.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np

from harness.load.plan import Schedule
from harness.load.profile import Numbers, Profile

CHUNK = 4096
"""Slots made at a time: one chunk costs some 0.1 ms, so the generator is not held up."""


class Timetable:
    """The offsets of one run, in seconds from its first intended send, ascending."""

    def __init__(self, schedule: Schedule, profile: Profile, seed: int) -> None:
        self.profile = profile
        self._chunks = _even() if schedule == "constant" else _poisson(seed)
        self._place = 0
        self._advance_chunk()

    @property
    def next_s(self) -> float:
        """The next request's offset; infinite where the rate stays 0."""
        return self._offsets[self._place]

    def advance(self) -> float:
        """Go to the next request, and give its offset."""
        self._place += 1
        if self._place == CHUNK:
            self._advance_chunk()
        return self._offsets[self._place]

    def change(self, offset_s: float, rate_rps: float) -> float:
        """Offer one constant rate from an instant on; the offset that the next request now has."""
        self.profile = self.profile.changed(offset_s, rate_rps)
        self._place_chunk()
        return self._offsets[self._place]

    def _advance_chunk(self) -> None:
        self._counts = next(self._chunks)
        self._place = 0
        self._place_chunk()

    def _place_chunk(self) -> None:
        # Python floats, which are faster to handle one by one than numpy's.
        self._offsets: list[float] = self.profile.offsets(self._counts).tolist()


def _even() -> Iterator[Numbers]:
    for first in count(0, CHUNK):
        yield np.arange(first, first + CHUNK, dtype=np.float64)


def _poisson(seed: int) -> Iterator[Numbers]:
    random = np.random.default_rng((seed, 1))
    last = 0.0
    for first in count(0, CHUNK):
        gaps = random.standard_exponential(CHUNK)
        if first == 0:
            gaps[0] = 0.0  # the start is the first send; from there on gaps are exponential
        chunk = last + np.cumsum(gaps)
        last = float(chunk[-1])
        yield chunk
