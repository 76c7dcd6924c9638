"""The control loop's decisions: who is to run, who is routed to, when a dead replica is replaced.

The Reconciler is pure: signals go in, orders come out, the clock is a parameter. What carries the
orders out lives in platforms/.

A replica that dies is replaced, not restarted: new name, new container, new address. The first
replacement in a place is immediate; lives that end soon after each other wait 10 s, 20 s, 40 s up
to 300 s, forgiven after 600 s of running: Kubernetes' restart back-off, times a time scale.

A fleet that grows has its new replicas launched at once. One that shrinks gives up those first that
are not ready, then those that became ready last, as a Kubernetes ReplicaSet does; they are not
replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TypeAlias

BACKOFF_FIRST_S = 10.0
BACKOFF_LIMIT_S = 300.0
BACKOFF_FORGIVEN_S = 600.0


@dataclass(frozen=True, slots=True)
class Launch:
    """Order: start a replica, not before the given instant."""

    name: str
    slot: int
    predecessor: str | None
    not_before_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """Order: the balancer is to send calls to exactly these replicas."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Order: end a replica gracefully, once the balancer sends it nothing more."""

    name: str
    reason: str


Order: TypeAlias = Launch | Route | Stop


@dataclass(slots=True)
class _Place:
    """One of the places that the fleet has to fill."""

    slot: int
    name: str
    serial: int
    ready: bool = False
    ready_since_s: float | None = None
    short_lives: int = 0


@dataclass(slots=True)
class Reconciler:
    """Keeps as many replicas running as are wanted, and the balancer told of the ready ones."""

    wanted: int
    time_scale: float = 1.0
    _places: dict[int, _Place] = field(default_factory=dict)
    _stopping: dict[str, int] = field(default_factory=dict)  # name to the slot it still takes up
    _serial: int = 0
    _routed: tuple[str, ...] = ()

    def start(self, now_s: float) -> list[Order]:
        """Orders that fill the empty fleet."""
        return [self._launch(slot, None, now_s, "wanted") for slot in range(self.wanted)]

    def scale(self, wanted: int, now_s: float) -> list[Order]:
        """There are to be this many replicas from now on."""
        self.wanted = wanted
        by_worth = sorted(self._places.values(), key=_worth)
        surplus = by_worth[: max(len(by_worth) - wanted, 0)]
        for place in surplus:
            del self._places[place.slot]
            self._stopping[place.name] = place.slot
        taken = {*self._places, *self._stopping.values()}
        free = (slot for slot in count() if slot not in taken)
        missing = list(islice(free, wanted - len(self._places)))
        return [
            *self._reroute(),
            *(Stop(place.name, "scaled down") for place in surplus),
            *(self._launch(slot, None, now_s, "scaled up") for slot in missing),
        ]

    def probed(self, name: str, ready: bool, now_s: float) -> list[Order]:
        """The readiness probe of a replica changed its answer."""
        place = self._place(name)
        if place is None or place.ready == ready:
            return []
        place.ready = ready
        if ready and place.ready_since_s is None:
            place.ready_since_s = now_s
        return self._reroute()

    def died(self, name: str, now_s: float, reason: str = "died") -> list[Order]:
        """A replica's process ended, whoever ended it."""
        self._stopping.pop(name, None)
        place = self._place(name)
        if place is None:
            return []
        lived_s = 0.0 if place.ready_since_s is None else now_s - place.ready_since_s
        if lived_s >= BACKOFF_FORGIVEN_S * self.time_scale:
            place.short_lives = 0
        delay_s = backoff_s(place.short_lives, self.time_scale)
        place.ready = False
        short_lives = place.short_lives + 1
        launch = self._launch(place.slot, name, now_s + delay_s, reason)
        self._places[place.slot].short_lives = short_lives
        # First take the dead one out of the balancer, then look after its replacement.
        return [*self._reroute(), launch]

    @property
    def names(self) -> Sequence[str]:
        """The replicas that ought to run, in the order of their places."""
        return [place.name for _, place in sorted(self._places.items())]

    def ready(self) -> bool:
        """Whether every place is filled by a ready replica."""
        return len(self._places) == self.wanted == self.ready_replicas

    @property
    def ready_replicas(self) -> int:
        """How many places are filled by a ready replica."""
        return sum(place.ready for place in self._places.values())

    def _launch(
        self, slot: int, predecessor: str | None, not_before_s: float, reason: str
    ) -> Launch:
        self._serial += 1
        name = f"replica-{self._serial}"
        self._places[slot] = _Place(slot, name, self._serial)
        return Launch(name, slot, predecessor, not_before_s, reason)

    def _reroute(self) -> list[Order]:
        names = tuple(sorted(place.name for place in self._places.values() if place.ready))
        if names == self._routed:
            return []
        self._routed = names
        return [Route(names)]

    def _place(self, name: str) -> _Place | None:
        return next((place for place in self._places.values() if place.name == name), None)


def backoff_s(short_lives: int, time_scale: float) -> float:
    """How long the next start waits, after so many lives that ended soon after each other."""
    if short_lives == 0:
        return 0.0
    doublings = min(short_lives - 1, 30)  # far beyond the limit, far below an overflow
    return min(BACKOFF_FIRST_S * 2.0**doublings, BACKOFF_LIMIT_S) * time_scale


def _worth(place: _Place) -> tuple[bool, float, int]:
    """The least is given up first: not ready, then ready for the shortest time, then the newest."""
    since_s = float("inf") if place.ready_since_s is None else place.ready_since_s
    return place.ready, -since_s, -place.serial
