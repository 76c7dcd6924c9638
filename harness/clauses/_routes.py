"""What the balancer was told: its list of replicas over time, and when nothing disturbed it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.fleet import Life
from harness.history import History

SETTLING_S = 0.5
"""Left out on either side of a change: the balancer needs a moment to take on its new list."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time in which the balancer had one list of replicas and no fault touched them."""

    began_s: float
    ended_s: float
    replicas: tuple[str, ...]


def routes(history: History) -> list[tuple[float, tuple[str, ...]]]:
    """When the balancer's list changed, and to what; repeated lists are left out."""
    found: list[tuple[float, tuple[str, ...]]] = []
    for event in history.of_kind("balancer.routes"):
        parts = (part.strip() for part in str(event.details.get("replicas") or "").split(","))
        replicas = tuple(sorted(part for part in parts if part))
        if not found or found[-1][1] != replicas:
            found.append((event.time_s, replicas))
    return found


def stretches(history: History, fleet: Mapping[str, Life]) -> Iterable[Stretch]:
    """The spans in which the balancer had one list and all on it were well."""
    listed = routes(history)
    ends = [time_s - SETTLING_S for time_s, _ in listed[1:]] + [history.ended_s]
    for (time_s, replicas), ended_s in zip(listed, ends, strict=True):
        known = tuple(name for name in replicas if name in fleet)
        began_s = max(time_s + SETTLING_S, history.began_s)
        if len(known) > 1:
            yield from _undisturbed(Stretch(began_s, ended_s, known), history, fleet)


def _undisturbed(
    stretch: Stretch, history: History, fleet: Mapping[str, Life]
) -> Iterable[Stretch]:
    """The parts of a stretch in which no fault holds one of its replicas, and none has died."""
    began_s = stretch.began_s
    for from_s, to_s in sorted(disturbances(stretch, history, fleet)):
        if began_s < min(from_s - SETTLING_S, stretch.ended_s):
            yield Stretch(began_s, min(from_s - SETTLING_S, stretch.ended_s), stretch.replicas)
        began_s = max(began_s, to_s + SETTLING_S)
    if began_s < stretch.ended_s:
        yield Stretch(began_s, stretch.ended_s, stretch.replicas)


def disturbances(
    stretch: Stretch, history: History, fleet: Mapping[str, Life]
) -> Iterable[tuple[float, float]]:
    """When a fault held one of the stretch's replicas, or one had died: from and until."""
    for fault in history.faults:
        if set(fault.targets) & set(stretch.replicas):
            yield fault.injected_s, np.inf if fault.restored_s is None else fault.restored_s
    for name in stretch.replicas:
        died_s = fleet[name].died_s
        if died_s is not None:
            yield died_s, np.inf
