"""When all is well again: the instant from which on nearly every request was."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.contract import Limits
from harness.fleet import Life, lives, was_replaced
from harness.history import History

_STOPPED_ON_REQUEST = (0, 143)
_STOPPED_BY_FORCE = 137  # after the grace: a matter of termination, where an end was ordered


def settled_s(
    due_s: NDArray[np.float64], well: NDArray[np.bool_], share: float, needed: int
) -> float | None:
    """Seconds on the clock from which on at least ``share`` of all requests were well.

    ``due_s`` and ``well`` are of one length, a pair for each request. The requests from then on
    number at least ``needed``. None where there is no such instant.
    """
    order = np.lexsort((well, due_s))
    due_s, well = due_s[order], well[order]
    left = np.arange(len(due_s), 0, -1)
    kept = np.cumsum(well[::-1])[::-1] >= share * left
    settled = np.flatnonzero(kept & (left >= needed))
    return float(due_s[settled[0]]) if len(settled) else None


def back_after_s(
    due_s: NDArray[np.float64],
    well: NDArray[np.bool_],
    watched: tuple[float, float],
    share: float,
    limits: Limits,
) -> float | None:
    """Seconds from the end of a fault until its requests were well for good.

    ``watched`` is that end and the instant until which requests were watched. Where they never were
    well, the time between; None where too little was seen to say either.
    """
    over_s, until_s = watched
    settled = settled_s(due_s, well, share, limits.answers_needed)
    if settled is not None:
        # The first request after the fault is due a moment later, however well all is.
        return 0.0 if settled == due_s.min() else settled - over_s
    seen = until_s - over_s > limits.recovery_s and len(due_s) >= limits.answers_needed
    return until_s - over_s if seen else None


def deaths(history: History, began_s: float, ended_s: float) -> list[Life]:
    """Replicas that died within a stretch without faults, and were not sent away."""
    fleet = lives(history.events)
    return [
        life
        for life in fleet.values()
        if life.died_s is not None
        and began_s <= life.died_s <= ended_s
        and not sent_away(life, life.died_s, fleet)
    ]


def sent_away(life: Life, died_s: float, fleet: Mapping[str, Life]) -> bool:
    """Whether the platform wanted its end."""
    if life.stopping_s is not None and life.stopping_s <= died_s:
        return life.exit_code in (*_STOPPED_ON_REQUEST, _STOPPED_BY_FORCE)
    return life.exit_code in _STOPPED_ON_REQUEST and not was_replaced(life, fleet)
