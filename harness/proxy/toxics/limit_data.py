"""limit_data: the connection is closed once so many bytes have passed."""

from dataclasses import dataclass
from typing import ClassVar

from ..stage import Stage
from .passing import Passing


@dataclass(frozen=True, slots=True)
class LimitData:
    """Passes ``bytes`` bytes of each connection, counted from when it began; the rest is lost."""

    bytes: int = 0

    strikes_chunks: ClassVar[bool] = False

    def start(self, stage: Stage) -> "_LimitData":
        """Act on one direction of one connection."""
        return _LimitData(stage, self)


class _LimitData(Passing):
    def __init__(self, stage: Stage, attributes: LimitData) -> None:
        super().__init__(stage)
        self._limit_bytes = attributes.bytes

    def chunk(self, data: bytes) -> None:
        left_bytes = max(0, self._limit_bytes - self.stage.passed_bytes)
        if left_bytes:
            self.stage.pass_on(data[:left_bytes])
        if len(data) >= left_bytes:
            self.stage.touch()
            self.stage.cut()
