"""half_open (ours, not Toxiproxy's): the connections of now are dead, and nobody is told."""

from dataclasses import dataclass
from typing import ClassVar

from ..stage import Stage
from .passing import Passing


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Kills both directions of each existing connection without FIN or RST; new ones work.

    What is sent into a dead connection is taken by the kernel's buffers and never read. They are
    reset when the toxic is removed.
    """

    strikes_chunks: ClassVar[bool] = False
    only_existing: ClassVar[bool] = True

    def start(self, stage: Stage) -> "_HalfOpen":
        """Act on one connection."""
        return _HalfOpen(stage)


class _HalfOpen(Passing):
    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        stage.touch()
        stage.link.connection.freeze()

    def lift(self) -> None:
        self.stage.reset()
