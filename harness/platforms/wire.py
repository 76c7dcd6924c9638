"""A connection of the harness's own to a storage service, counted and with a time-out."""

import socket
import time
from dataclasses import dataclass
from typing import Protocol

FILL = b"x"
"""What every fetched byte is: anything else was changed on its way."""


class ClosedError(ConnectionError):
    """The other side ended the connection in an orderly way, in the middle of an answer."""


class GarbledError(OSError):
    """What came is not in the protocol's form."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a service can be reached from here."""

    host: str
    port: int

    def is_open(self) -> bool:
        """Whether a connection is taken, and kept for a moment, by whoever is behind it."""
        try:
            with socket.create_connection((self.host, self.port), timeout=1.0) as link:
                link.settimeout(0.02)
                return link.recv(1) != b""
        except TimeoutError:
            return True
        except OSError:
            return False


class Session(Protocol):
    """A protocol spoken on one connection. Every method raises OSError where it fails."""

    def round_trip(self) -> None:
        """Ask for next to nothing, and return when the server's answer is complete."""

    def fetch(self, size: int) -> bytes:
        """Ask for so many bytes of FILL in one answer, and give what came."""


class Wire:
    """A TCP connection; counts what it received. Raises OSError, its time-out included."""

    def __init__(self, door: Door, timeout_s: float) -> None:
        self.received = 0
        self._buffer = bytearray()
        self._timeout_s = timeout_s
        self._socket = socket.create_connection((door.host, door.port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def look(self) -> None:
        """Raise what ended the connection since it was last used, if anything did.

        Sending to somebody who has closed would be answered by a reset, and hide which it was.
        """
        self._socket.settimeout(0.0)
        try:
            if self._socket.recv(1, socket.MSG_PEEK) == b"":
                raise ClosedError("the other side closed the connection")
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(self._timeout_s)

    def send(self, data: bytes) -> None:
        """Send everything."""
        self._socket.sendall(data)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes, in at most the time-out and what their number needs beyond it."""
        while len(self._buffer) < size:
            self._receive()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def read_until(self, end: bytes, longest: int = 8192) -> bytes:
        """Everything up to ``end``, which is taken and left out."""
        deadline_s = time.monotonic() + self._timeout_s
        while (position := self._buffer.find(end)) < 0:
            if len(self._buffer) > longest or time.monotonic() > deadline_s:
                raise GarbledError(f"no {end!r} within {len(self._buffer)} bytes")
            self._receive()
        return self.read(position + len(end))[:position]

    def _receive(self) -> None:
        data = self._socket.recv(262_144)
        if not data:
            raise ClosedError("the other side closed the connection")
        self.received += len(data)
        self._buffer += data
