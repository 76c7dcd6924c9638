"""What the harness and its generator process tell each other: one JSON object a line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from harness.history import Generator, RateChange
from harness.load import Conditions, Progress
from harness.load.plan import Plan


@dataclass(frozen=True, slots=True)
class Order:
    """The first line to the generator: what to do, and where its files belong."""

    plan: Plan
    directory: Path
    connect_s: float  # how long to wait for a connection


@dataclass(frozen=True, slots=True)
class Command:
    """A later line to the generator."""

    kind: Literal["begin", "rate", "stop"]
    at_s: float = 0.0  # with begin: monotonic time of the first intended send
    rate_rps: float = 0.0  # with rate: what to offer from now on


@dataclass(frozen=True, slots=True)
class Report:
    """A line from the generator.

    ``change`` comes with rate, ``error`` with failed, the figures with done.
    """

    kind: Literal["ready", "progress", "rate", "done", "failed"]
    progress: Progress | None = None
    generator: Generator | None = None
    conditions: Conditions | None = None
    change: RateChange | None = None
    error: str = ""


def results(directory: Path) -> Path:
    """Where the generator leaves its rows."""
    return directory / "load.npz"


def line(message: Order | Command | Report) -> bytes:
    """Write a message as it goes through the pipe."""
    return msgspec.json.encode(message, enc_hook=_encode) + b"\n"


def order(text: bytes) -> Order:
    """Read the first line. Raises LoadError or msgspec.DecodeError for what cannot be meant."""
    return msgspec.json.decode(text, type=Order, dec_hook=_decode)


def command(text: bytes) -> Command:
    """Read a later line. Raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Command)


def report(text: bytes) -> Report:
    """Read a line of the generator. Raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Report)


def _encode(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} has no place in a message")


def _decode(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(f"a {kind.__name__} has no place in a message")
