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

    Readiness depends on the model and on the drain, and on nothing else. If it depended on
    PostgreSQL, its loss would un-ready every replica at once, the balancer would have nobody,
    and callers would see a broken connection in place of a quick, typed UNAVAILABLE.
    Liveness depends on nothing at all: a restart repairs no backing service.
    """

    def __init__(self) -> None:
        self._phase = Phase.LOADING
        self._changed = asyncio.Event()

    @property
    def phase(self) -> Phase:
        """Tell what the replica is doing now."""
        return self._phase

    @property
    def ready(self) -> bool:
        """Tell whether new traffic may be sent here."""
        return self._phase is Phase.SERVING

    def advance(self, phase: Phase) -> None:
        """Move forward and wake everyone who watches; a step back is ignored."""
        if phase.value <= self._phase.value:
            return
        self._phase = phase
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def next_change(self) -> asyncio.Event:
        """Give the event of the next change; take it before looking, and no change is missed."""
        return self._changed
