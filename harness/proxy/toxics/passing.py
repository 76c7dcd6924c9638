"""The smallest effect: hands everything on. Others say only where they differ."""

from ..stage import Stage


class Passing:
    """Nothing is struck, held or lost."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def chunk(self, data: bytes) -> None:
        """Hand on."""
        self.stage.pass_on(data)

    def spare(self, data: bytes) -> None:
        """Hand on."""
        self.stage.pass_on(data)

    def end(self) -> None:
        """Hand on."""
        self.stage.pass_end()

    def flush(self) -> None:
        """Nothing is held."""

    def lift(self) -> None:
        """Nothing is lost."""
