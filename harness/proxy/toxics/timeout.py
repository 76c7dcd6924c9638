"""timeout: data is swallowed, and the connection is closed after a while or never."""

from dataclasses import dataclass

from ..stage import Stage
from .passing import Passing


@dataclass(frozen=True, slots=True)
class Timeout:
    """Closes ``timeout`` ms after it began on a connection; at 0 when it is removed.

    It is removed too late for whatever it swallowed: such a connection cannot go on, and is closed
    then, as Toxiproxy does.
    """

    timeout: int = 0

    def start(self, stage: Stage) -> "_Timeout":
        """Act on one direction of one connection."""
        return _Timeout(stage, self)


class _Timeout(Passing):
    def __init__(self, stage: Stage, attributes: Timeout) -> None:
        super().__init__(stage)
        if attributes.timeout:
            stage.after(attributes.timeout / 1000, stage.cut)

    def chunk(self, data: bytes) -> None:  # noqa: ARG002 - it is swallowed
        self.stage.touch()

    def lift(self) -> None:
        self.stage.cut()
