"""slicer: data arrives in small segments, with a pause between two of them."""

import time
from dataclasses import dataclass

from ..stage import Stage
from .gated import Gated


@dataclass(frozen=True, slots=True)
class Slicer:
    """Pieces of ``average_size`` bytes, give or take ``size_variation``; ``delay`` us between."""

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0

    def __post_init__(self) -> None:
        """Check what single values cannot tell. Raises ValueError."""
        if self.average_size < 1:
            raise ValueError(f"average_size has to be at least 1, not {self.average_size}")
        if self.size_variation >= self.average_size:
            raise ValueError(
                f"size_variation has to be below average_size, which is {self.average_size}, "
                f"not {self.size_variation}"
            )

    def start(self, stage: Stage) -> "_Slicer":
        """Act on one direction of one connection."""
        return _Slicer(stage, self)


class _Slicer(Gated):
    def __init__(self, stage: Stage, attributes: Slicer) -> None:
        super().__init__(stage)
        self._attributes = attributes
        self._free_s = 0.0  # when the pause after the last piece is over

    def chunk(self, data: bytes) -> None:
        self.stage.touch()
        average, variation = self._attributes.average_size, self._attributes.size_variation
        due_s, start = max(self._free_s, time.monotonic()), 0
        while start < len(data):
            size = average + self.stage.random.randint(-variation, variation)
            due_s = self.gate.hold(data[start : start + size], due_s)
            due_s += self._attributes.delay / 1e6
            start += size
        self._free_s = due_s
