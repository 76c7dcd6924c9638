"""The places of the fleet: in each one replica after the other, each the heir of the last."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.fleet import Life, lives
from harness.history import History
from reports.words import shortened

_LETTERS = 13  # what the margin has room for, and on a narrow screen
_FEW_LETTERS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """The replicas that held one place during the scenario, in order of time."""

    lives: tuple[Life, ...]

    @property
    def label(self) -> str:
        """For the margin: the first and the last of them, such as ``replica-2→4``."""
        first, last = self.lives[0].name, self.lives[-1].name
        if first == last:
            return shortened(first, _LETTERS)
        stem, dash, number = last.rpartition("-")
        alike = dash and first.startswith(f"{stem}-")
        return shortened(f"{first}→{number if alike else last}", _LETTERS)

    @property
    def short(self) -> str:
        """The same for a narrow screen, such as ``2→4``."""
        first, last = self.lives[0].name, self.lives[-1].name
        if first == last:
            return shortened(first, _FEW_LETTERS)
        numbers = (each.rpartition("-")[2] for each in (first, last))
        return shortened("→".join(numbers), _FEW_LETTERS)

    @property
    def names(self) -> str:
        """All of them."""
        return ", then ".join(each.name for each in self.lives)


def places(history: History) -> tuple[Place, ...]:
    """The places of all replicas that lived during the scenario, in the platform's order.

    Where two lives of one slot overlap, each has a place of its own: none hides the other.
    """
    alive = sorted(
        (each for each in lives(history.events).values() if _overlaps(each, history)),
        key=lambda each: (each.slot, each.ordered_s),
    )
    rows: list[list[Life]] = []
    for life in alive:
        row = next((row for row in rows if _follows(life, row[-1])), None)
        if row is None:
            rows.append([life])
        else:
            row.append(life)
    return tuple(Place(tuple(row)) for row in rows)


def first_places(history: History, count: int) -> tuple[tuple[Place, ...], str]:
    """The places that a chart has room for, and words for its note about the others."""
    every = places(history)
    if len(every) <= count:
        return every, ""
    return every[:count], f"; the first {count} of {len(every):,} places are drawn"


def replicas_in(rows: Iterable[Place]) -> tuple[Life, ...]:
    """The replicas of these places."""
    return tuple(life for each in rows for life in each.lives)


def _overlaps(life: Life, history: History) -> bool:
    gone_s = max(life.died_s or history.ended_s, life.unrouted_s or 0.0)
    return life.ordered_s <= history.ended_s and gone_s >= history.began_s


def _follows(life: Life, last: Life) -> bool:
    if life.slot != last.slot:
        return False
    return life.predecessor == last.name or (
        last.died_s is not None and last.died_s <= life.ordered_s
    )
