"""An effect that holds chunks back in a gate: spared ones queue behind, a flush delivers all."""

from ..stage import Gate, Stage
from .passing import Passing


class Gated(Passing):
    """Spared chunks and the end wait only for what is before them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.gate = Gate(stage)

    def spare(self, data: bytes) -> None:
        """Behind what is held."""
        self.gate.spare(data)

    def end(self) -> None:
        """Behind what is held."""
        self.gate.spare(None)

    def flush(self) -> None:
        """All that is held."""
        self.gate.flush()
