"""The life of each replica, read from the events of a history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.history import Event

WITHOUT_MODEL = "without its model"
"""The reason for a start of a replica that was told of a model that cannot load."""


@dataclass(frozen=True, slots=True)
class Life:
    """One replica from order to end. Instants are None where they never came."""

    name: str
    slot: int
    predecessor: str | None
    ordered_s: float  # the platform asked for it: where `docker run` begins
    address: str | None = None
    container: str | None = None
    hostname: str | None = None
    started_s: float | None = None  # its process runs
    ready_s: float | None = None  # first time that the readiness probe passed
    first_correct_s: float | None = None  # first golden-correct answer, asked of it directly
    routed_s: float | None = None  # first time that the balancer was told of it
    unrouted_s: float | None = None  # last time that the balancer was told to forget it
    stopping_s: float | None = None  # the platform decided to end it, with the service's grace
    died_s: float | None = None
    exit_code: int | None = None
    version: str | None = None
    digest: str | None = None
    golden_difference: float | None = None  # greatest absolute difference from the golden outputs
    examination_failed: str | None = None  # why its first golden answers were no good

    @property
    def cold_start_s(self) -> float | None:
        """Seconds from order to first golden-correct answer."""
        return None if self.first_correct_s is None else self.first_correct_s - self.ordered_s

    @property
    def time_to_ready_s(self) -> float | None:
        """Seconds from order to ready."""
        return None if self.ready_s is None else self.ready_s - self.ordered_s


def lives(events: Iterable[Event]) -> dict[str, Life]:
    """Each replica's life by its name, in the order in which they were ordered."""
    result: dict[str, Life] = {}
    for event in events:
        if event.kind == "replica.ordered":
            result[event.subject] = Life(
                event.subject,
                slot=int(event.details["slot"] or 0),
                predecessor=_text(event, "predecessor"),
                ordered_s=event.time_s,
            )
        elif event.kind.startswith("replica.") and event.subject in result:
            result[event.subject] = _advance(result[event.subject], event)
    return result


def _advance(life: Life, event: Event) -> Life:  # noqa: PLR0911  # one for each kind of event
    at = event.time_s
    match event.kind:
        case "replica.started":
            return replace(
                life,
                started_s=at,
                address=_text(event, "address"),
                container=_text(event, "container"),
                hostname=_text(event, "hostname"),
            )
        case "replica.ready":
            return life if life.ready_s is not None else replace(life, ready_s=at)
        case "replica.examination_failed":
            return replace(life, examination_failed=_text(event, "why"))
        case "replica.first_correct" if life.first_correct_s is None:
            difference = event.details.get("golden_difference")
            return replace(
                life,
                first_correct_s=at,
                version=_text(event, "version"),
                digest=_text(event, "digest"),
                golden_difference=None if difference is None else float(difference),
            )
        case "replica.routed":
            return life if life.routed_s is not None else replace(life, routed_s=at)
        case "replica.unrouted":
            return replace(life, unrouted_s=at)
        case "replica.stopping":
            return replace(life, stopping_s=at)
        case "replica.died":
            code = event.details.get("exit_code")
            return replace(life, died_s=at, exit_code=None if code is None else int(code))
        case _:
            return life


def _text(event: Event, key: str) -> str | None:
    value = event.details.get(key)
    return None if value is None else str(value)


def was_replaced(life: Life, fleet: Mapping[str, Life]) -> bool:
    """Whether the platform ordered another in its place: what is stopped on purpose has none."""
    died_s = life.died_s
    return died_s is not None and any(
        each.predecessor == life.name and each.ordered_s >= died_s for each in fleet.values()
    )


def lone_replacements_s(fleet: Mapping[str, Life]) -> list[float]:
    """Seconds from a death to the readiness of its replacement, where no other one started then.

    Starts that overlap share processors, so they say nothing of how quickly the platform replaces.
    """
    result = []
    for life in fleet.values():
        before = fleet.get(life.predecessor or "")
        if before is None or before.died_s is None or life.ready_s is None:
            continue
        others = (each for each in fleet.values() if each is not life)
        if not any(_starts_between(each, before.died_s, life.ready_s) for each in others):
            result.append(life.ready_s - before.died_s)
    return result


def _starts_between(life: Life, began_s: float, ended_s: float) -> bool:
    """Whether it was starting at any time of the stretch."""
    until_s = min(life.ready_s or float("inf"), life.died_s or float("inf"))
    return life.ordered_s <= ended_s and until_s >= began_s
