"""When each request is meant to be sent: endless, and the same again for the same seed."""

from collections.abc import Iterator
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from harness.load.plan import Schedule

Offsets = NDArray[np.float64]
CHUNK = 4096
"""Slots made at a time: one chunk costs some 50 µs, so the generator is not held up."""


def chunks(schedule: Schedule, rate_rps: float, seed: int) -> Iterator[Offsets]:
    """Offsets in seconds from the start, ascending, the first of all being 0."""
    return _constant(rate_rps) if schedule == "constant" else _poisson(rate_rps, seed)


def offsets(schedule: Schedule, rate_rps: float, seed: int) -> Iterator[float]:
    """Give the same one by one, as Python floats, which are faster to handle than numpy's."""
    return chain.from_iterable(each.tolist() for each in chunks(schedule, rate_rps, seed))


def _constant(rate_rps: float) -> Iterator[Offsets]:
    # Divided anew for each slot: a running sum of gaps would drift.
    for first in count(0, CHUNK):
        yield np.arange(first, first + CHUNK, dtype=np.float64) / rate_rps


def _poisson(rate_rps: float, seed: int) -> Iterator[Offsets]:
    random = np.random.default_rng((seed, 1))
    last = 0.0
    for first in count(0, CHUNK):
        gaps = random.exponential(1 / rate_rps, CHUNK)
        if first == 0:
            gaps[0] = 0.0  # the start is the first send; from there on gaps are exponential
        chunk = last + np.cumsum(gaps)
        last = float(chunk[-1])
        yield chunk
