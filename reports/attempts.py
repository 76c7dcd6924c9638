"""The attempts of a request: how each ended, what it was told, and where the balancer sent it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.fleet import Life
from harness.history import History
from harness.serving import began_s, holder, upstreams
from harness.tables import Table, text
from reports.words import milliseconds

_STATUS = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
"""The names of gRPC's status codes, from 0."""

_GROUP = ""  # in place of a replica: nobody was left to send to


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a request."""

    status: int
    took_s: float
    detail: str = ""  # the status message of one that failed
    replicas: tuple[str, ...] = ()  # where the balancer sent it, in order
    none_left: bool = False  # the balancer had no replica to send it to, or no other after those
    kept_back: bool = False  # the balancer answered it without sending it on to anybody

    def __str__(self) -> str:
        where = f" at {', then '.join(self.replicas)}" if self.replicas else ""
        if self.none_left:
            where += ", then none was left" if where else ", no replica was left"
        elif self.kept_back:
            where = ", not sent on"
        why = f": {self.detail}" if self.detail else ""
        return f"{status_word(self.status)} {milliseconds(self.took_s)}{where}{why}"


def status_word(code: int) -> str:
    """The name of a gRPC status code."""
    return _STATUS[code] if 0 <= code < len(_STATUS) else f"status {code}"


def attempts(
    history: History, ids: set[bytes], fleet: Mapping[str, Life]
) -> dict[str, tuple[Attempt, ...]]:
    """The attempts of these requests in order, by the id of the request."""
    sent = _sent(among(history.access, ids), fleet)
    found: dict[str, dict[int, Attempt]] = {}
    for row in among(history.attempts, ids):
        id_, number = text(row["id"]), int(row["number"])
        where = sent.get((id_, number), sent.get((id_, 0)))
        found.setdefault(id_, {})[number] = _attempt(row, where)
    return {id_: tuple(made[number] for number in sorted(made)) for id_, made in found.items()}


def among(table: Table, ids: set[bytes]) -> Table:
    """The rows of these ids. Looking up in a set is quicker than sorting a million texts."""
    if not ids:
        return table[:0]
    mask = np.fromiter(map(ids.__contains__, table["id"].tolist()), np.bool_, len(table))
    chosen: Table = table[mask]
    return chosen


def _attempt(row: np.void, where: tuple[str, ...] | None) -> Attempt:
    """The attempt; where it was sent is None if the balancer's log has no line of it."""
    status = int(row["status"])
    return Attempt(
        status=status,
        took_s=float(row["done_s"] - row["sent_s"]),
        detail=text(row["detail"]),
        replicas=tuple(name for name in where or () if name != _GROUP),
        none_left=_GROUP in (where or ()),
        kept_back=where == () and status != 0,
    )


def _sent(access: Table, fleet: Mapping[str, Life]) -> dict[tuple[str, int], tuple[str, ...]]:
    """Where the balancer sent each call, by the names of the replicas that had the addresses."""
    result: dict[tuple[str, int], tuple[str, ...]] = {}
    for row, taken_up_s in zip(access, began_s(access).tolist(), strict=True):
        addresses = upstreams(text(row["upstream"]))
        names = tuple(_server(address, fleet, taken_up_s) for address in addresses)
        result[text(row["id"]), int(row["attempt"])] = names
    return result


def _server(address: str, fleet: Mapping[str, Life], time_s: float) -> str:
    """The replica at an address; where nobody was left, nginx names the group in its place."""
    life = holder(fleet, address, time_s)
    if life is not None:
        return life.name
    return address if ":" in address else _GROUP
