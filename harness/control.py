"""The control loop's decisions: who is to run, who is routed to, when a dead replica is replaced.

The Reconciler is pure: signals go in, orders come out, the clock is a parameter. What carries the
orders out lives in platforms/.

A replica that dies is replaced, not restarted: new name, new container, new address. The first
replacement in a place is immediate; lives that end soon after each other wait 10 s, 20 s, 40 s up
to 300 s, forgiven after 600 s of running: Kubernetes' restart back-off, times a time scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
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


Order: TypeAlias = Launch | Route


@dataclass(slots=True)
class _Place:
    """One of the places that the fleet has to fill."""

    slot: int
    name: str
    ready: bool = False
    ready_since_s: float | None = None
    short_lives: int = 0


@dataclass(slots=True)
class Reconciler:
    """Keeps as many replicas running as are wanted, and the balancer told of the ready ones."""

    wanted: int
    time_scale: float = 1.0
    _places: dict[int, _Place] = field(default_factory=dict)
    _serial: int = 0
    _routed: tuple[str, ...] = ()

    def start(self, now_s: float) -> list[Order]:
        """Orders that fill the empty fleet."""
        return [self._launch(slot, None, now_s, "wanted") for slot in range(self.wanted)]

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
        place = self._place(name)
        if place is None:
            return []
        lived_s = 0.0 if place.ready_since_s is None else now_s - place.ready_since_s
        if lived_s >= BACKOFF_FORGIVEN_S * self.time_scale:
            place.short_lives = 0
        delay_s = self._backoff_s(place.short_lives)
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
        return len(self._places) == self.wanted and all(p.ready for p in self._places.values())

    def _backoff_s(self, short_lives: int) -> float:
        if short_lives == 0:
            return 0.0
        doublings = min(short_lives - 1, 30)  # far beyond the limit, far below an overflow
        return min(BACKOFF_FIRST_S * 2.0**doublings, BACKOFF_LIMIT_S) * self.time_scale

    def _launch(
        self, slot: int, predecessor: str | None, not_before_s: float, reason: str
    ) -> Launch:
        self._serial += 1
        name = f"replica-{self._serial}"
        self._places[slot] = _Place(slot, name)
        return Launch(name, slot, predecessor, not_before_s, reason)

    def _reroute(self) -> list[Order]:
        names = tuple(sorted(place.name for place in self._places.values() if place.ready))
        if names == self._routed:
            return []
        self._routed = names
        return [Route(names)]

    def _place(self, name: str) -> _Place | None:
        return next((place for place in self._places.values() if place.name == name), None)
