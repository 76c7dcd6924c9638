"""Any Locust shape as a rate profile: ``python -m harness.load.shape FILE:CLASS`` prints it.

One user of the shape stands for one request a second. The shape is played on a virtual clock, as
Locust would: ``tick`` is asked once a second, or when the users it last asked for are there; what
``spawn_rate`` brings in one second comes at once, more in a straight line; None ends the load.

Importing Locust patches sockets, threads and time of its process (gevent), so shapes are read in a
process of their own: neither pytest nor the generator ever imports Locust.
"""

import importlib
import importlib.util
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from harness.errors import LoadError
from harness.load.profile import MOST_RPS, Points

if TYPE_CHECKING:
    from locust import LoadTestShape

TICK_S = 1.0
"""Locust asks a shape once a second: locust.runners.Runner.shape_worker."""
LONGEST_S = 3600.0
_READ_S = 60.0  # for Python, Locust and the file, on a busy machine
_TAIL_CHARACTERS = 2000


class Shape(Protocol):
    """What a shape has to have: it tells (users, users started a second, …), or None at its end."""

    def tick(self) -> tuple[object, ...] | None:
        """What is wanted now."""


def read(reference: str) -> Points:
    """The profile of a shape, given as ``path/to/file.py:ClassName`` or ``module:ClassName``.

    A shape that never ends is read for an hour; its last rate goes on. Raises LoadError where it
    cannot be read, or is no shape.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness.load.shape", reference],
            capture_output=True,
            timeout=_READ_S,
            check=False,
            env={**os.environ, "LOCUST_SKIP_MONKEY_PATCH": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"the shape {reference} gave no end within {_READ_S:g} s") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()[-_TAIL_CHARACTERS:]
        raise LoadError(f"the shape {reference} cannot be read: {told or '(no stderr)'}")
    return msgspec.json.decode(done.stdout, type=Points)


def points(shape: Shape, longest_s: float = LONGEST_S) -> Points:
    """Play a shape on a virtual clock. Raises LoadError for a tick that cannot be meant."""
    time_s, users = 0.0, 0.0
    found: list[tuple[float, float]] = []
    vars(shape)["get_run_time"] = lambda: time_s
    vars(shape)["get_current_user_count"] = lambda: round(users)
    while time_s <= longest_s:
        told = shape.tick()
        if told is None:
            found += [(time_s, users), (time_s, 0.0)]
            break
        wanted, spawn_rate = _checked(told)
        away = abs(wanted - users)
        there_s = time_s if away <= spawn_rate else time_s + away / spawn_rate
        found += [(time_s, users), (there_s, wanted)]
        users = wanted
        time_s = max(time_s + TICK_S, there_s)
    return _plain(found)


def _checked(told: tuple[object, ...]) -> tuple[float, float]:
    wanted, spawn_rate, *_ = (*told, None, None)
    if (
        not isinstance(wanted, int | float)
        or not isinstance(spawn_rate, int | float)
        or not 0 <= wanted <= MOST_RPS
        or not spawn_rate > 0
    ):
        raise LoadError(f"expected tick() to give (users, spawn rate above 0), got {told!r}")
    return float(wanted), float(spawn_rate)


def _plain(found: list[tuple[float, float]]) -> Points:
    """Leave out what says nothing: points in a flat line, and what lasts no time at the start."""
    kept: list[tuple[float, float]] = []
    for point in found:
        while kept and _is_idle(kept, point):
            kept.pop()
        if point not in kept[-1:]:
            kept.append(point)
    return tuple(kept)


def _is_idle(kept: list[tuple[float, float]], after: tuple[float, float]) -> bool:
    """Whether the last point kept is needed no more once another one follows."""
    at_s, rate = kept[-1]
    if len(kept) == 1:
        return after[0] == at_s == 0.0
    return kept[-2][1] == rate == after[1]


def load(reference: str) -> "LoadTestShape":
    """Make the shape. Only for a process of its own, because it imports Locust."""
    from locust import LoadTestShape  # noqa: PLC0415  # it patches this process: see above

    where, _, name = reference.rpartition(":")
    if not where or not name.isidentifier():
        raise LoadError(f"expected path/to/file.py:ClassName or module:ClassName, got {reference}")
    path = Path(where)
    sys.path[:0] = [str(path.parent.absolute()) if where.endswith(".py") else "", str(Path.cwd())]
    if where.endswith(".py"):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise LoadError(f"there is no file {path}; correct the path")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(where)
    made = getattr(module, name, None)
    if not isinstance(made, type) or not issubclass(made, LoadTestShape):
        shapes = [key for key, value in vars(module).items() if _is_shape(value, LoadTestShape)]
        raise LoadError(
            f"{where} has no LoadTestShape {name}; it has {', '.join(shapes) or 'none'}"
        )
    return made()


def _is_shape(value: object, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base) and not getattr(value, "abstract", 0)


def main() -> None:
    """Print the points of the shape that the command line names, as JSON."""
    try:
        with redirect_stdout(sys.stderr):  # whatever a user's file prints
            found = points(load(sys.argv[1]))
    except LoadError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
