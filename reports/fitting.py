"""Makes a Markdown text fit into so many bytes, and says what had to be left out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reports.words import plural

_NOTE = 600  # bytes kept free for the sentence that says what is missing


@dataclass(frozen=True, slots=True)
class Block:
    """A part that is shown whole or not at all. ``kind`` is what the reader misses without it."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """A folded table, of which as many rows are shown as there is room for."""

    title: str
    head: tuple[str, ...]
    rows: tuple[str, ...]

    def within(self, room: int) -> tuple[str, int]:
        """As much of it as fits into so many bytes, and the number of rows left out."""
        opening = f"<details>\n<summary>{self.title}</summary>\n\n"
        closing = "\n\n</details>"
        lines = list(self.head)
        used = sum(map(_size, (opening, closing, *lines)))
        for shown, row in enumerate(self.rows):
            used += _size(row)
            if used > room:
                if not shown:
                    return "", len(self.rows)
                return opening + "\n".join(lines) + closing, len(self.rows) - shown
            lines.append(row)
        return opening + "\n".join(lines) + closing, 0


def fitted(parts: Iterable[Block | Fold], foot: str, size: int) -> str:
    """The parts in their order with the foot; what comes first has the first claim to room."""
    room = size - _size(foot) - _NOTE
    shown: list[str] = []
    missing: Counter[str] = Counter()
    for each in parts:
        if isinstance(each, Block):
            text, left_out = (each.text, 0) if _size(each.text) <= room else ("", 1)
            kind = each.kind
        else:
            text, left_out = each.within(room)
            kind = f"row of “{each.title}”"
        if left_out:
            missing[kind] += left_out
        if text:
            shown.append(text)
            room -= _size(text)
    return "\n\n".join([*shown, *_note(missing), foot]) + "\n"


def _note(missing: Counter[str]) -> Iterator[str]:
    if missing:
        named = "; ".join(_counted(count, kind) for kind, count in missing.items())
        yield f"Cut to fit, and to be found in report.html: {named}."


def _counted(count: int, kind: str) -> str:
    noun, preposition, rest = kind.partition(" of ")
    return f"{plural(count, noun)}{preposition}{rest}"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace")) + 2  # and the line breaks behind it
