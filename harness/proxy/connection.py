"""A client's connection and the one to the upstream server, joined by two links."""

import errno
import random
import socket
import struct
from collections.abc import Callable, Sequence
from select import EPOLLOUT
from typing import TYPE_CHECKING

from .link import Endpoint, Link, Traffic
from .loop import Loop
from .stage import Stage

if TYPE_CHECKING:
    from .toxic import Toxic

Address = tuple[socket.AddressFamily, tuple[object, ...]]
_ABORT = struct.pack("ii", 1, 0)  # linger for 0 s: close sends RST


class Connection:
    """From accept to the end of both directions. Half-closed connections stay half-closed.

    A reset on one side becomes a reset on the other; so does an upstream that cannot be reached.
    """

    def __init__(self, client: socket.socket, number: int, loop: Loop, rng: random.Random) -> None:
        self.loop, self.random, self.number = loop, rng, number
        self.is_closed = False
        self.is_frozen = False
        self.links: dict[str, Link] = {}
        self.on_close: Callable[[Connection], None]
        self.settle: Callable[[], None] = _nothing
        """Notice at once if the upstream has been reached, before the loop comes to it."""
        self._client = client
        self._sockets = [client]
        prepare(client)

    def connect(
        self,
        addresses: Sequence[Address],
        up: Traffic,
        down: Traffic,
        on_open: Callable[["Connection"], None],
    ) -> None:
        """Reach the upstream by the first address that answers, then join the two sides."""
        if self.is_closed:
            return
        if not addresses:
            self.reset()
            return
        server, rest = _dialling(addresses[0]), addresses[1:]
        if not server:
            self.connect(rest, up, down, on_open)
            return
        self._sockets = [self._client, server]

        def settle(_events: int = 0) -> None:
            error = server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not error and not _is_connected(server):
                return  # not yet; or the event was meant for an older socket of the same number
            self.settle = _nothing
            self.loop.unwatch(server.fileno())
            if error:
                server.close()
                self._sockets = [self._client]
                self.connect(rest, up, down, on_open)
            else:
                self._join(server, up, down)
                on_open(self)

        self.loop.watch(server.fileno(), EPOLLOUT, settle)
        self.settle = settle

    def _join(self, server: socket.socket, up: Traffic, down: Traffic) -> None:
        near, far = Endpoint(self._client, self), Endpoint(server, self)
        self.links = {
            "upstream": Link(near, far, "upstream", up),
            "downstream": Link(far, near, "downstream", down),
        }
        near.update()
        far.update()

    def attach(self, toxic: "Toxic", position: int, passed_bytes: int = 0) -> None:
        """Put a toxic into the chain of its direction."""
        link = self.links[toxic.stream]
        link.stages.insert(position, Stage(toxic, link, passed_bytes))
        link.follow()

    def find(self, toxic: "Toxic") -> Stage | None:
        """Where a toxic is at work on this connection, if it is."""
        link = self.links.get(toxic.stream)
        found = [stage for stage in link.stages if stage.toxic is toxic] if link else []
        return found[0] if found else None

    def detach(self, stage: Stage) -> None:
        """Take a toxic out of its chain: what it held back is delivered first."""
        stage.effect.flush()
        stage.stop()
        stage.effect.lift()
        if not self.is_closed:
            stage.link.stages.remove(stage)
            stage.link.follow()

    def freeze(self) -> None:
        """Neither read nor write nor close from now on; only a reset ends it."""
        self.is_frozen = True
        for link in self.links.values():
            link.source.update()

    def link_over(self, link: Link) -> None:
        """One direction has ended: tell its sink, and close when both have."""
        if link.is_cut or all(each.is_over for each in self.links.values()):
            self._close()
            return
        try:
            link.sink.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset()

    def reset(self) -> None:
        """Abort both sides with RST; what was held back is lost, as with any reset."""
        for sock in self._sockets if not self.is_closed else ():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self._close()

    def _close(self) -> None:
        if self.is_closed:
            return
        self.settle = _nothing
        for link in self.links.values():
            for stage in link.stages:
                stage.stop()
            self.loop.held_bytes -= link.held_bytes
        self.is_closed = True
        for sock in self._sockets:
            self.loop.unwatch(sock.fileno())
            sock.close()
        self.on_close(self)


def prepare(sock: socket.socket) -> None:
    """Never wait, neither for the peer nor for more to send."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _dialling(to: Address) -> socket.socket | None:
    """A socket that is on its way; None where there is no way, or no file descriptor."""
    family, address = to
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    prepare(sock)
    if sock.connect_ex(address) in {0, errno.EINPROGRESS}:
        return sock
    sock.close()
    return None


def _nothing() -> None:
    """Wait for the loop."""


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
