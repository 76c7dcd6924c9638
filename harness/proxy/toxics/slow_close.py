"""slow_close: the end of the stream (FIN) is handed on later."""

import time
from dataclasses import dataclass
from typing import ClassVar

from ..stage import Stage
from .gated import Gated


@dataclass(frozen=True, slots=True)
class SlowClose:
    """FIN arrives ``delay`` ms late."""

    delay: int = 0

    strikes_chunks: ClassVar[bool] = False

    def start(self, stage: Stage) -> "_SlowClose":
        """Act on one direction of one connection."""
        return _SlowClose(stage, self)


class _SlowClose(Gated):
    def __init__(self, stage: Stage, attributes: SlowClose) -> None:
        super().__init__(stage)
        self._delay_s = attributes.delay / 1000

    def end(self) -> None:
        self.stage.touch()
        self.gate.hold(None, time.monotonic() + self._delay_s)
