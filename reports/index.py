"""reports/runs/index.jsonl: the digests of all runs that were saved beside each other."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from reports.digest import SCHEMA, Digest, instant

INDEX = "index.jsonl"
KEPT = 100
"""So many earlier runs are looked at: a trend shows the last twenty that judged a clause."""


@dataclass(frozen=True, slots=True)
class Index:
    """Earlier runs, oldest first, and how many lines of the file could not be read."""

    earlier: tuple[Digest, ...] = ()
    unread: int = 0


@dataclass(frozen=True, slots=True)
class _Head:
    """What it takes to know whether a line is wanted: decoding all of each takes a second."""

    schema: int
    id: str
    began_at: str


def read(path: Path, here: Digest) -> Index:
    """The last runs in the file that began before this one and judged some of the same clauses.

    A run that is in it twice counts once, with its last line.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Index()
    before, unread = _before(lines, here)
    decoder = msgspec.json.Decoder(Digest)
    found: list[Digest] = []
    for line in before:
        try:
            candidate = decoder.decode(line)
        except msgspec.DecodeError:
            unread += 1
            continue
        if shared(candidate, here):
            found.append(candidate)
            if len(found) == KEPT:
                break
    return Index(tuple(reversed(found)), unread)


def add(found: Digest, path: Path) -> None:
    """Append the digest as one line. Two runs that end at once both find their place."""
    line = msgspec.json.encode(found) + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        # A writer that died may have left half a line: it must not take this one with it.
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        # One write, because only then does the system keep two writers' lines apart.
        written = os.write(descriptor, line)
    finally:
        os.close(descriptor)
    if written < len(line):
        raise OSError(f"only {written} of {len(line)} bytes fitted into {path}; free some space")


def shared(one: Digest, other: Digest) -> int:
    """How many clauses of the second run the first one judged too, each in the same scenario.

    What another scenario asks of a clause is another promise.
    """
    known = {(each.scenario, each.id) for each in one.points}
    return len(known & {(each.scenario, each.id) for each in other.points})


def comparable(here: Digest, earlier: Sequence[Digest]) -> Digest | None:
    """The newest of the earlier runs that judged at least half of what this one did.

    Where there is none, the newest of all will do: a run of everything after one of a single
    scenario is held against the last run of everything, and not the other way round.
    """
    most = len({(each.scenario, each.id) for each in here.points}) / 2
    for each in reversed(earlier):
        if shared(each, here) >= most:
            return each
    return earlier[-1] if earlier else None


def _before(lines: Iterable[bytes], here: Digest) -> tuple[Iterator[bytes], int]:
    """The lines of the runs that began before this one, the newest first; and those unread."""
    began = instant(here.began_at)
    decoder = msgspec.json.Decoder(_Head)
    known: dict[str, tuple[datetime, bytes]] = {}
    unread = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            head = decoder.decode(line)
        except msgspec.DecodeError:
            unread += 1
            continue
        when = instant(head.began_at)
        if head.schema != SCHEMA or when is None:
            unread += 1
        elif began is not None and when < began and head.id != here.id:
            known[head.id] = when, line
    newest_first = sorted(known.values(), key=lambda each: each[0], reverse=True)
    return (line for _, line in newest_first), unread
