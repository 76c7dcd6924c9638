"""reset_peer: the connection is aborted with RST on both sides."""

from dataclasses import dataclass

from ..stage import Stage
from .gated import Gated


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """Resets ``timeout`` ms after the first chunk (or FIN) since it began; none passes till then.

    What it held back passes if it is removed before.
    """

    timeout: int = 0

    def start(self, stage: Stage) -> "_ResetPeer":
        """Act on one direction of one connection."""
        return _ResetPeer(stage, self)


class _ResetPeer(Gated):
    def __init__(self, stage: Stage, attributes: ResetPeer) -> None:
        super().__init__(stage)
        self._delay_s = attributes.timeout / 1000
        self._is_armed = False

    def chunk(self, data: bytes) -> None:
        self._strike(data)

    def end(self) -> None:
        self._strike(None)

    def _strike(self, data: bytes | None) -> None:
        self.stage.touch()
        self.gate.hold(data, float("inf"))
        if not self._is_armed:
            self._is_armed = True
            self.stage.after(self._delay_s, self.stage.reset)
