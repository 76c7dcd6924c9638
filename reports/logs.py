"""The last lines of the logs of replicas: what they themselves said before they fell silent."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from reports.words import plural

LINES = 12
LENGTH = 400  # characters of a line
LOGS = 3  # of one scenario
_READ_BYTES = 64 * 1024  # from the end of a log

_QUOTED = r'"(?:[^"\\]|\\.)*"?|\'[^\']*\'?'
_SECRETS = (
    re.compile(rf"(authorization[\"']?\s*[:=]\s*)({_QUOTED}|[^\"'\r\n]+)", re.IGNORECASE),
    re.compile(
        rf"((?:password|passwd|secret|token)[\w-]{{0,40}}[\"']?\s*[:=]\s*)({_QUOTED}|[^\s,;&\"'}}\]]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(://[^\s/:@]*:)([^\s/@]+)(?=@)"),
)


@dataclass(frozen=True, slots=True)
class Log:
    """The end of one log."""

    name: str
    lines: tuple[str, ...]
    note: str  # what was left out
    ended: bool = False  # whether its replica is known to have ended, so that these are last words


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs of one scenario, and what is not shown of them."""

    shown: tuple[Log, ...] = ()
    note: str = ""


def logs(folder: Path | None, names: Iterable[str], ended: Container[str] = ()) -> Logs:
    """The ends of the first logs of these replicas, of which some are known to have ended."""
    wanted = tuple(dict.fromkeys(names))
    if folder is None:
        return Logs()
    ends = [(name, tail(folder, name)) for name in wanted[:LOGS]]
    shown = tuple(replace(each, ended=name in ended) for name, each in ends if each is not None)
    if not shown:
        return Logs()
    missing = [name for name, each in ends if each is None]
    said = [f"No log was kept of {', '.join(missing)}."] if missing else []
    if len(wanted) > LOGS:
        said.append(f"Not shown: {', '.join(wanted[LOGS:])}.")
    return Logs(shown, " ".join(said))


def tail(folder: Path, name: str) -> Log | None:
    """The last lines of one log; None where there is none, or its name leads out of the folder."""
    path = folder / f"{name}.log"
    if path.parent != folder or path.is_symlink():
        return None
    try:
        content, whole = _end(path)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    lines = content.decode("utf-8", "replace").splitlines()
    last = [_printable(masked(line)) for line in lines[-LINES:]]
    return Log(name, tuple(_cut(line) for line in last), _note(last, len(lines), whole=whole))


def masked(line: str) -> str:
    """The line with what looks like a secret blotted out."""
    for secret in _SECRETS:
        line = secret.sub(r"\1***", line)
    return line


def _end(path: Path) -> tuple[bytes, bool]:
    """The end of a file from the beginning of a line on, and whether that is all of it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _READ_BYTES, 0))
        content = file.read(_READ_BYTES)
    if size <= _READ_BYTES:
        return content, True
    return content.partition(b"\n")[2], False


def _printable(line: str) -> str:
    """The line without characters that move or hide what stands around them."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in line)


def _cut(line: str) -> str:
    return line if len(line) <= LENGTH else f"{line[: LENGTH - 1]}…"


def _note(lines: list[str], known: int, *, whole: bool) -> str:
    """How much of the log this is."""
    if not lines:
        return "empty" if whole else f"no line ended in the last {_READ_BYTES // 1024} kB"
    said = plural(len(lines), "line")
    said = f"all of its {said}" if whole and known == len(lines) else f"the last {said}"
    long = sum(len(line) > LENGTH for line in lines)
    return f"{said}, {long} of them cut at {LENGTH} characters" if long else said
