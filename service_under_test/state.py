"""The one readiness state that ServerReady, ModelReady, health and /readyz all read."""

import asyncio
from enum import Enum


class Phase(Enum):
    """What the replica is doing; it only ever moves forward."""

    LOADING = 1
    SERVING = 2
    DRAINING = 3
    STOPPING = 4


class Readiness:
    """Whether traffic may be sent here, and news of every change.

    Ready means that an inference would be answered now: the model is warm, nobody told us to stop,
    and the database takes records. Without the last nothing can be acknowledged, however healthy
    we are, and to say ready would be a lie (contract R2). Should that un-ready all replicas at
    once, the balancer says UNAVAILABLE in our stead.
    Liveness depends on nothing at all: a restart repairs no backing service.
    """

    def __init__(self) -> None:
        self._phase = Phase.LOADING
        self._can_acknowledge = False
        self._changed = asyncio.Event()

    @property
    def phase(self) -> Phase:
        """Tell what the replica is doing now."""
        return self._phase

    @property
    def ready(self) -> bool:
        """Tell whether new traffic may be sent here."""
        return self._phase is Phase.SERVING and self._can_acknowledge

    @property
    def reason(self) -> str:
        """Tell in a word why it is as it is."""
        if self._phase is Phase.SERVING:
            return "ready" if self._can_acknowledge else "database away"
        return self._phase.name.lower()

    def advance(self, phase: Phase) -> None:
        """Move forward and wake everyone who watches; a step back is ignored."""
        if phase.value > self._phase.value:
            self._phase = phase
            self._tell()

    def acknowledge(self, *, possible: bool) -> None:
        """Take in whether records can be written."""
        if possible is not self._can_acknowledge:
            self._can_acknowledge = possible
            self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def next_change(self) -> asyncio.Event:
        """Give the event of the next change; take it before looking, and no change is missed."""
        return self._changed
