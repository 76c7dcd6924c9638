"""Addresses as the API writes them, ``host:port``, and what they resolve to."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .connection import Address
from .errors import BAD_BODY, ApiError
from .loop import Loop

ANYWHERE = "0.0.0.0:0"
"""Where Toxiproxy listens if it is told nothing: on any address, at a free port."""


def parse(address: str, name: str) -> tuple[str, int]:
    """Host (may be empty: any) and port. Raises ApiError, naming the field."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BAD_BODY.because(f"{name} has to be host:port, not {address[:80]!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def listen(address: str) -> socket.socket:
    """A listening socket; port 0 is one that the kernel chooses. Raises ApiError (500)."""
    host, port = parse(address or ANYWHERE, "listen")
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host or "0.0.0.0",  # noqa: S104 - the container's network decides who gets in
            port,
            type=socket.SOCK_STREAM,
        )[0]
        return socket.create_server(place[:2], family=family, backlog=1024)
    except OSError as error:
        raise ApiError(f"listen tcp {address}: {error.strerror or error}", 500) from error


def same(one: str, other: str) -> bool:
    """Whether both are one place to listen at, as localhost and its number are."""
    return one == other or _places(one) == _places(other)


def _places(address: str) -> set[tuple[object, ...]]:
    host, port = parse(address or ANYWHERE, "listen")
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, type=socket.SOCK_STREAM)  # noqa: S104
    except OSError:
        return {(host, port)}
    return {place[:2] for _, _, _, _, place in found[:1]}


def written(sock: socket.socket) -> str:
    """Where a socket listens, as the API writes it."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{host}:{port}"


class Resolver:
    """Looks names up beside the loop; numbers need no looking up."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="resolve")

    def resolve(self, upstream: str, tell: Callable[[list[Address]], None]) -> None:
        """Tell the loop's thread the addresses; none where there are none."""
        host, port = parse(upstream, "upstream")
        try:
            socket.inet_pton(socket.AF_INET, host)
        except OSError:
            self._threads.submit(self._look_up, host, port, tell)
        else:
            tell([(socket.AF_INET, (host, port))])

    def _look_up(self, host: str, port: int, tell: Callable[[list[Address]], None]) -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            found = []
        addresses: list[Address] = [(family, place) for family, _, _, _, place in found]
        self._loop.post(lambda: tell(addresses))
