"""Replicas beside the fleet: probed and examined, never routed to.

One may be there for a bare cold start to be measured, or to show what it does without its model.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from harness.errors import PlatformError
from harness.fleet import WITHOUT_MODEL, Life, lives
from harness.platforms.grounds import Grounds, Variant
from harness.platforms.replica_keeper import ReplicaKeeper
from harness.settings import ModelSource

_SLOT = -1  # they fill no place


class Spares:
    """Starts one at a time, next to a fleet that is at work or idle."""

    def __init__(self, grounds: Grounds, keeper: ReplicaKeeper) -> None:
        self._grounds = grounds
        self._keeper = keeper
        self._count = 0

    def bare_start(self, timeout_s: float, model: ModelSource | None) -> Life:
        """Start one, wait for its first golden answer, ask it to end, and tell its life so far.

        ``model``: where it has its model from, if not from where the fleet has it. Raises
        PlatformError where no golden answer came in time, or there is no image of that kind.
        """
        variant = self._grounds.blueprint.variant(model)  # before the clock starts: it may be built
        name = self._order(variant, "bare cold start")
        if not self._grounds.wait_until(lambda: self._has_answered(name), timeout_s):
            raise PlatformError(
                f"expected a first golden answer of {name} within {timeout_s:g} s, but "
                f"{self._keeper.roster.explain()}"
            )
        self._stop(name, "measured")
        return self._lives()[name]

    @contextmanager
    def without_model(self, environment: Mapping[str, str]) -> Iterator[str]:
        """One whose environment makes it look for a model that is not there, while the block runs.

        Nobody waits for it to be ready; its name is given.
        """
        name = self._order(
            replace(self._grounds.blueprint.variant(), environment=environment), WITHOUT_MODEL
        )
        try:
            yield name
        finally:
            self._stop(name, "observed")

    def _order(self, variant: Variant, reason: str) -> str:
        self._count += 1
        name = f"spare-{self._count}"
        details = {"slot": _SLOT, "predecessor": None, "reason": reason}
        self._keeper.roster.set_spare(name)
        self._keeper.starter.order(name, variant, details)
        return name

    def _stop(self, name: str, reason: str) -> None:
        """It drains while others go on."""
        self._keeper.roster.set_leaving(name)
        self._grounds.recorder.event("replica.stopping", name, {"reason": reason})
        self._keeper.starter.stop(name)

    def _has_answered(self, name: str) -> bool:
        life = self._lives().get(name)  # none: its start has not begun
        return life is not None and life.first_correct_s is not None

    def _lives(self) -> Mapping[str, Life]:
        return lives(self._grounds.recorder.events())
