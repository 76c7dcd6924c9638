"""One connection of the harness's own to a storage service, and what is measured on it."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeAlias

from harness.platforms.wire import FILL, ClosedError, Door, GarbledError, Session, Wire

Speak: TypeAlias = Callable[[Wire], Session]
"""Begins a session on a connection: logs in where that is needed."""

MOST_AT_ONCE_BYTES = 1_000_000
ROUND_TRIPS = 5


class Outcome(StrEnum):
    """What came of an attempt to get an answer."""

    ANSWERED = "answered"
    REFUSED = "refused"
    RESET = "reset"
    CLOSED = "closed"
    SILENT = "silent"  # for the whole time-out
    GARBLED = "garbled"


def outcome_of(error: OSError) -> Outcome:
    """What an attempt came to that ended with this error."""
    if isinstance(error, ConnectionRefusedError):
        return Outcome.REFUSED
    if isinstance(error, ClosedError):
        return Outcome.CLOSED
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Outcome.RESET
    return Outcome.SILENT if isinstance(error, TimeoutError) else Outcome.GARBLED


class Link:
    """One connection of the harness's own to a storage service. Methods raise OSError."""

    def __init__(self, door: Door, speak: Speak, timeout_s: float) -> None:
        self._ended: Outcome | None = None
        self._until_end: int | None = None
        self.is_spoilt = False
        """Whether an answer broke off or made no sense: nothing that follows can be trusted."""
        self._wire = Wire(door, timeout_s)
        try:
            self._session = speak(self._wire)
        except BaseException:
            self._wire.close()
            raise

    def close(self) -> None:
        """End it."""
        self._wire.close()

    def round_trip_ms(self, times: int = ROUND_TRIPS) -> float:
        """How long the smallest exchange takes; the median of some."""
        return statistics.median(self._one_ms() for _ in range(times))

    def _one_ms(self) -> float:
        began_s = time.perf_counter()
        self._session.round_trip()
        return (time.perf_counter() - began_s) * 1e3

    def fetch(self, size: int) -> int:
        """Fetch so many bytes; how many bits of them are not what the server sent."""
        try:
            got = self._session.fetch(size)
        except OSError:
            self.is_spoilt = True
            raise
        expected = int.from_bytes(FILL * len(got))
        return (int.from_bytes(got) ^ expected).bit_count()

    def rate_kbps(self, size: int) -> float:
        """At how many KB/s (1 KB = 1,000 bytes) so many bytes come."""
        began_s = time.perf_counter()
        self.fetch(size)
        return size / 1e3 / (time.perf_counter() - began_s)

    def bytes_until_end(self, size: int) -> int:
        """How many bytes come from now on until it ends, of so many that are asked for.

        Raises GarbledError where all of them come.
        """
        if self._until_end is None:
            before = self._wire.received
            try:
                self.fetch(size)
            except (ClosedError, ConnectionResetError):
                self._until_end = self._wire.received - before
            else:
                raise GarbledError(f"all {size} bytes came, and the connection is still open")
        return self._until_end

    def hangs(self) -> bool:
        """Whether an answer never came, and nobody has told us yet that it never will."""
        if self._ended is not Outcome.SILENT:
            return False
        try:
            self._wire.look()
        except OSError:
            return False
        return True

    def outcome(self) -> Outcome:
        """What comes of one exchange. A connection that has ended stays so."""
        if self._ended is None:
            try:
                self._wire.look()
                self._session.round_trip()
            except OSError as error:
                self._ended = outcome_of(error)
        return self._ended or Outcome.ANSWERED


def outcomes(links: Sequence[Link]) -> list[Outcome]:
    """What comes of one exchange on each, side by side."""
    with ThreadPoolExecutor(len(links)) as pool:
        return list(pool.map(Link.outcome, links))


def bytes_until_end(door: Door, speak: Speak, size: int, timeout_s: float) -> int:
    """How many bytes come on a new connection until it ends, of so many that are asked for.

    It may end in the middle of its log-in. Raises GarbledError where it does not end.
    """
    wire = Wire(door, timeout_s)
    try:
        speak(wire).fetch(size)
    except (ClosedError, ConnectionResetError):
        return wire.received
    finally:
        wire.close()
    raise GarbledError(f"all {size} bytes came, and the connection is still open")
