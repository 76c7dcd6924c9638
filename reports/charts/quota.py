"""How much of the machine one replica may use."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.history import History, Value

_NOTED = "replica limits"  # the condition, such as ``1 CPU, 512 MB``
_MB = 2**20  # as the engine counts them


@dataclass(frozen=True, slots=True)
class Quota:
    """What one replica may use; None where that is not known."""

    cpus: float | None = None
    memory_bytes: float | None = None


def quota(history: History, conditions: Mapping[str, Value]) -> Quota:
    """From the conditions of the run, and from what the scenario lowered itself."""
    lowered = [
        float(event.details["cpus"] or 0.0)
        for event in history.of_kind("replicas.limited", subject=history.scenario)
        if event.details.get("cpus")
    ]
    noted = _numbers(str(conditions.get(_NOTED) or ""))
    memory_mb = noted.get("MB")
    return Quota(
        lowered[-1] if lowered else noted.get("CPU"),
        None if memory_mb is None else memory_mb * _MB,
    )


def _numbers(noted: str) -> dict[str, float]:
    """The numbers of such a text by their units; none where it is no such text."""
    result = {}
    for part in noted.split(","):
        value, _, unit = part.strip().partition(" ")
        if value.replace(".", "", 1).isdigit():
            result[unit] = float(value)
    return result
