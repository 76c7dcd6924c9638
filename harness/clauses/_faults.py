"""The faults of a history: at what they were aimed, when they were in force, and what else was."""

from collections.abc import Iterable

from harness.clauses._wording import at
from harness.fleet import lives
from harness.history import FaultRecord, History, Window

DATABASE = ("database", "database-path")
CACHE = ("cache", "cache-path")
STORE = ("store", "store-path")
_MERELY_SLOW = ("slow", "throttle")


def aimed_at(history: History, targets: Iterable[str]) -> list[FaultRecord]:
    """The faults that hit one of these, in order of time."""
    wanted = set(targets)
    hits = (fault for fault in history.faults if wanted & set(fault.targets))
    return sorted(hits, key=lambda fault: fault.injected_s)


def is_away(fault: FaultRecord) -> bool:
    """Whether its target could not be used at all while it lasted, rather than slowly."""
    return not fault.name.startswith(_MERELY_SLOW)


def over_s(fault: FaultRecord) -> float:
    """When it was shown to be over; infinity where that never was shown."""
    return float("inf") if fault.restored_s is None else fault.restored_s


def healing_s(fault: FaultRecord) -> float:
    """Until when it was in force: where its healing began, or infinity."""
    return float("inf") if fault.healed_s is None else fault.healed_s


def next_s(history: History, fault: FaultRecord) -> float:
    """When the next fault began once this one was over; infinity where none did.

    What ends after that is not this one's doing.
    """
    later = (o.injected_s for o in history.faults if o.injected_s > over_s(fault))
    return min(later, default=float("inf"))


def told(history: History, fault: FaultRecord) -> str:
    """What it was and when it began, in words."""
    return f"{fault.name} of {', '.join(fault.targets)} at {at(history, fault.injected_s)}"


def beside(history: History, fault: FaultRecord, until_s: float) -> str | None:
    """Another fault, aimed elsewhere, that was in force from this one's begin until an instant."""
    for other in history.faults:
        elsewhere = not set(other.targets) & set(fault.targets)
        if elsewhere and other.injected_s < until_s and over_s(other) >= fault.injected_s:
            return f"{other.name} of {', '.join(other.targets)}"
    return None


def disturbing(history: History, window: Window) -> str | None:
    """A fault of a replica or of what it depends on that overlaps the window, or None.

    Traffic is no disturbance here: where load is offered above capacity, it is what is judged.
    """
    parts = {*lives(history.events), *DATABASE, *CACHE, *STORE}
    for fault in history.faults:
        overlaps = fault.injected_s <= window.ended_s and over_s(fault) >= window.began_s
        if overlaps and parts & set(fault.targets):
            return f"{fault.name} of {', '.join(fault.targets)}"
    return None
