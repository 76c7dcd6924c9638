"""Who served what: joins the answers and the balancer's log to the lives of the replicas."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.fleet import Life
from harness.tables import Table, text

NOBODY, STRANGER = -1, -2
"""In place of a replica's index: the answer names no one, or someone who was never in the fleet."""

# nginx separates upstreams by a comma, and groups of them, after a redirect, by a colon.
_BETWEEN_UPSTREAMS = re.compile(r", | : ")


def distinct(column: NDArray[np.bytes_]) -> tuple[list[str], NDArray[np.intp]]:
    """The different texts of a column, and for each row the index of its text among them.

    Columns hold few different texts in many rows, often a single one: a dictionary is several times
    quicker than the sort of ``numpy.unique``.
    """
    if len(column) and np.all(column == column[0]):
        return [text(column[0])], np.zeros(len(column), dtype=np.intp)
    cells: list[bytes] = column.tolist()
    places = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
    index = np.fromiter(map(places.__getitem__, cells), dtype=np.intp, count=len(cells))
    return [text(cell) for cell in places], index


def answered_by(replicas: NDArray[np.bytes_], fleet: Mapping[str, Life]) -> NDArray[np.intp]:
    """For each row the index in the fleet of the replica it names, by its name or its hostname."""
    places: dict[str, int] = {"": NOBODY}
    for place, life in enumerate(fleet.values()):
        places[life.name] = place
        if life.hostname:
            places.setdefault(life.hostname, place)
    names, index = distinct(replicas)
    codes = np.array([places.get(name, STRANGER) for name in names], dtype=np.intp)
    return codes[index] if len(names) else index


def upstreams(cell: str) -> list[str]:
    """The parts of the log's upstream columns: addresses or statuses, in the order tried."""
    return _BETWEEN_UPSTREAMS.split(cell) if cell else []


def began_s(access: Table) -> NDArray[np.float64]:
    """When the balancer took up each call."""
    result: NDArray[np.float64] = access["done_s"] - access["took_s"]
    return result


def holder(fleet: Mapping[str, Life], address: str, time_s: float) -> Life | None:
    """The replica that an address meant at an instant: the last one ordered that has had it."""
    held = [life for life in fleet.values() if life.address == address and life.ordered_s <= time_s]
    return max(held, key=lambda life: life.ordered_s, default=None)


def sent_to(
    access: Table, fleet: Mapping[str, Life], life: Life, among: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which of these calls the balancer tried to send to the replica while it had its address."""
    if life.address is None:
        return np.zeros(len(access), dtype=bool)
    later = (
        other.ordered_s
        for other in fleet.values()
        if other.address == life.address and other.ordered_s > life.ordered_s
    )
    began = began_s(access)
    sent = among & (began >= life.ordered_s) & (began < min(later, default=np.inf))
    cells, index = distinct(access["upstream"][sent])
    tried = np.array([life.address in upstreams(cell) for cell in cells], dtype=bool)
    sent[sent] = tried[index]
    return sent
