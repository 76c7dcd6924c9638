"""corrupt (ours, not Toxiproxy's): bits are flipped; the number of bytes stays."""

import random
from dataclasses import dataclass

from ..stage import Stage
from .passing import Passing


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Flips ``flips_per_mb`` bits per MB (1,000,000 bytes), at least one, in a chunk that it hits.

    It hits each chunk with ``probability``. ``seed`` repeats the draws of a connection; where
    chunks begin and end is for the network to decide, so the same bits are hit only in data that
    arrives in the same chunks.
    """

    flips_per_mb: float = 0.0
    probability: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what single values cannot tell. Raises ValueError."""
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability has to be from 0 to 1, not {self.probability}")

    def start(self, stage: Stage) -> "_Corrupt":
        """Act on one direction of one connection."""
        return _Corrupt(stage, self)


class _Corrupt(Passing):
    def __init__(self, stage: Stage, attributes: Corrupt) -> None:
        super().__init__(stage)
        self._attributes = attributes
        number, stream = stage.link.connection.number, stage.link.stream
        self._random = random.Random(f"{attributes.seed}:{number}:{stream}")  # noqa: S311

    def chunk(self, data: bytes) -> None:
        if self._random.random() < self._attributes.probability:
            self.stage.touch()
            data = self._flip(data)
        self.stage.pass_on(data)

    def _flip(self, data: bytes) -> bytes:
        bits = len(data) * 8
        wanted = round(self._attributes.flips_per_mb * len(data) / 1e6)
        flipped = bytearray(data)
        for bit in self._random.sample(range(bits), min(bits, max(1, wanted))):
            flipped[bit // 8] ^= 1 << bit % 8
        return bytes(flipped)
