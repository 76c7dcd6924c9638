"""latency: each chunk arrives later; many are on their way at once, so throughput stays."""

import time
from dataclasses import dataclass
from typing import ClassVar

from ..stage import Stage
from .gated import Gated


@dataclass(frozen=True, slots=True)
class Latency:
    """Delay of ``latency`` ms, give or take up to ``jitter`` ms (uniform)."""

    latency: int = 0
    jitter: int = 0

    allowance_bytes: ClassVar[int] = 64 * 1024 * 1024  # 300 MB/s for 0.2 s

    def start(self, stage: Stage) -> "_Latency":
        """Act on one direction of one connection."""
        return _Latency(stage, self)


class _Latency(Gated):
    def __init__(self, stage: Stage, attributes: Latency) -> None:
        super().__init__(stage)
        self._attributes = attributes

    def chunk(self, data: bytes) -> None:
        delay_ms = float(self._attributes.latency)
        jitter_ms = self._attributes.jitter
        if jitter_ms:
            delay_ms = max(0.0, delay_ms + self.stage.random.uniform(-jitter_ms, jitter_ms))
        self.stage.touch()
        self.gate.hold(data, time.monotonic() + delay_ms / 1000)
