"""bandwidth: data passes at a limited rate."""

import time
from dataclasses import dataclass

from ..stage import Stage
from .gated import Gated

_PIECE_MS = 20  # data leaves in pieces of so much time, to be smooth
_PIECE_BYTES = 64  # but not in crumbs


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """At most ``rate`` KB/s (1 KB = 1,000 bytes); at 0 nothing passes until it is removed."""

    rate: int = 0

    def start(self, stage: Stage) -> "_Bandwidth":
        """Act on one direction of one connection."""
        return _Bandwidth(stage, self)


class _Bandwidth(Gated):
    def __init__(self, stage: Stage, attributes: Bandwidth) -> None:
        super().__init__(stage)
        self._bytes_per_s = attributes.rate * 1000
        self._piece_bytes = max(_PIECE_BYTES, attributes.rate * _PIECE_MS)
        self._free_s = 0.0  # when all that came before is through

    def chunk(self, data: bytes) -> None:
        self.stage.touch()
        if not self._bytes_per_s:
            self.gate.hold(data, float("inf"))
            return
        due_s = max(self._free_s, time.monotonic())
        for start in range(0, len(data), self._piece_bytes):
            piece = data[start : start + self._piece_bytes]
            due_s = self.gate.hold(piece, due_s + len(piece) / self._bytes_per_s)
        self._free_s = due_s
