"""Sending and receiving through the proxy, with times."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.proxy.program import Pair


def receive(sock: socket.socket, size: int) -> bytes:
    """Exactly so many bytes, or fewer if the stream ends before."""
    got = bytearray()
    while len(got) < size and (data := sock.recv(size - len(got))):
        got += data
    return bytes(got)


def transit_s(pair: Pair, stream: str, data: bytes = b"hello") -> float:
    """How long data takes one way."""
    sender, receiver = pair.ends(stream)
    began_s = time.monotonic()
    sender.sendall(data)
    assert receive(receiver, len(data)) == data
    return time.monotonic() - began_s


def usual_transit_s(pair: Pair, stream: str) -> float:
    """Median of five: one may be held up by something else on this machine."""
    return median(transit_s(pair, stream) for _ in range(5))


@contextmanager
def sending(sock: socket.socket, data: bytes) -> Iterator[None]:
    """Send all of it meanwhile, by a thread that is gone afterwards."""
    thread = threading.Thread(target=sock.sendall, args=(data,))
    thread.start()
    yield
    thread.join()


def is_silent(sock: socket.socket, for_s: float) -> bool:
    """Whether neither data nor FIN nor RST comes within a time."""
    sock.settimeout(for_s)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        sock.settimeout(10)


def is_reset(sock: socket.socket) -> bool:
    """Whether the next that comes is an RST."""
    try:
        sock.recv(1)
    except ConnectionResetError:
        return True
    return False


def abort(sock: socket.socket) -> None:
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
