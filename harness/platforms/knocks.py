"""Knocking: the least that a service can be asked in its own protocol, and what it then answers.

A connection that is accepted shows little: the kernel accepts for a process that is frozen.
"""

import socket
import struct
import time
from dataclasses import dataclass

from harness.platforms.containers import LOOPBACK

_PING = b"knocking"  # a PING frame carries eight bytes, and they come back
_STARTUP = b"user\0mayfly\0database\0mayfly\0\0"
_PROTOCOL_3 = 196_608
_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class Knock:
    """What is sent, and what the answer contains once it is there."""

    greeting: bytes
    answer: bytes


GRPC = Knock(
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    b"\0\0\0\x04\0\0\0\0\0"  # SETTINGS, empty
    b"\0\0\x08\x06\0\0\0\0\0" + _PING,
    b"\0\0\x08\x06\x01\0\0\0\0" + _PING,  # PING with the flag ACK
)
# The question for a password comes only when the database takes logins: not while it recovers.
POSTGRESQL = Knock(
    struct.pack("!ii", 8 + len(_STARTUP), _PROTOCOL_3) + _STARTUP, b"R" + struct.pack("!i", 23)[:3]
)
REDIS = Knock(b"PING\r\n", b"-NOAUTH ")
S3 = Knock(b"GET / HTTP/1.1\r\nHost: store\r\nConnection: close\r\n\r\n", b"HTTP/1.1 ")
NGINX = Knock(
    b"GET /generation HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 "
)


def round_trip_ms(port: int, knock: Knock, within_s: float) -> float:
    """Milliseconds from the first byte sent to the answer, on a connection made before.

    Raises TimeoutError where no answer came in time, another OSError where the port on 127.0.0.1
    is closed, or the connection ended without the answer.
    """
    with socket.create_connection((LOOPBACK, port), timeout=within_s) as link:
        began_s = time.monotonic()
        link.sendall(knock.greeting)
        heard = b""
        while knock.answer not in heard:
            left_s = began_s + within_s - time.monotonic()
            if left_s <= 0 or len(heard) > _LONGEST:
                raise TimeoutError(f"no answer within {within_s:g} s")
            link.settimeout(left_s)
            chunk = link.recv(4096)
            if not chunk:
                raise ConnectionResetError(f"hung up after {heard[:60]!r}")
            heard += chunk
        return (time.monotonic() - began_s) * 1000.0
