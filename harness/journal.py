"""The undo journal: what would have to be reset if this process were gone the next moment.

It is a file beside the run's lock, one JSON line an entry, on disk before anything is disturbed.
An entry is closed when its restoration is proven; whatever is still open when the run is dead, its
reaper or the next run or ``mayfly heal`` resets.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from harness.errors import FaultError
from harness.platform import Reset, Target


class Undoable(Protocol):
    """What the journal has to know of a planned fault."""

    @property
    def name(self) -> str:
        """The fault's name."""

    @property
    def targets(self) -> Sequence[Target]:
        """What it will disturb."""

    def resets(self) -> Sequence[Reset]:
        """What brings its targets back to their undisturbed state."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: an entry that begins has a fault, one that ends only its number."""

    number: int
    fault: str = ""
    targets: tuple[str, ...] = ()
    resets: tuple[Reset, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault in the journal."""

    journal: "Journal"
    number: int

    def close(self) -> None:
        """Its restoration is proven: nobody has to undo it any more."""
        self.journal.write(Line(self.number, closed=True))


class Journal:
    """The journal of one run, which alone writes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = 0

    def begin(self, planned: Undoable) -> Entry:
        """Write down how to undo a fault. Raises FaultError where that is not safely on disk."""
        self._entries += 1
        names = tuple(target.name for target in planned.targets)
        self.write(Line(self._entries, planned.name, names, tuple(planned.resets())))
        return Entry(self, self._entries)

    def write(self, line: Line) -> None:
        """Append one line, and return when it would survive the machine's end."""
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FaultError(
                f"the undo journal {self._path} could not be written ({error}), so nothing is "
                "disturbed; make room or mend the permissions of its folder"
            ) from error


def open_entries(path: Path) -> list[Line]:
    """The faults that nobody has undone, the last one first. A line cut short is passed over."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    entries: dict[int, Line] = {}
    for text in content.splitlines():
        try:
            line = msgspec.json.decode(text, type=Line)
        except msgspec.DecodeError:
            continue  # the process died while writing it: then it had not injected yet
        if line.closed:
            entries.pop(line.number, None)
        else:
            entries[line.number] = line
    return [entries[number] for number in sorted(entries, reverse=True)]
