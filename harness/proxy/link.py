"""One direction of one connection: from a source socket through toxics to a sink socket."""

import select
import socket
from collections import deque
from typing import TYPE_CHECKING

from .stage import OVERHEAD_BYTES, Stage

if TYPE_CHECKING:
    from .connection import Connection

CHUNK_BYTES = 32 * 1024
"""The most that a toxic sees at once, as in Toxiproxy."""

_HELD_BYTES = 256 * 1024  # that a link holds back at most, apart from what its toxics need
_HELD_BYTES_OF_ALL = 256 * 1024 * 1024  # beyond which no link may have more than that


class Endpoint:
    """One socket of a connection: the source of one link and the sink of the other."""

    __slots__ = ("connection", "fd", "inbound", "outbound", "sock", "watched")

    def __init__(self, sock: socket.socket, connection: "Connection") -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.connection = connection
        self.watched = 0
        self.inbound: Link
        self.outbound: Link

    def update(self) -> None:
        """Watch for what its links wait for, and for nothing while they wait for nothing.

        Without interest it is not watched at all: epoll would report a hang-up for ever.
        """
        wanted = 0
        if not self.connection.is_frozen:
            wanted = select.EPOLLIN if self.inbound.is_reading else 0
            wanted |= select.EPOLLOUT if self.outbound.pending else 0
        if wanted != self.watched:
            self.watched = wanted
            loop = self.connection.loop
            if wanted:
                loop.watch(self.fd, wanted, self.ready)
            else:
                loop.unwatch(self.fd)

    def ready(self, events: int) -> None:
        """Write first, since that makes room; errors show when reading or writing."""
        if self.outbound.pending and events & ~select.EPOLLIN:
            self.outbound.send_pending()
        if self.inbound.is_reading and events & ~select.EPOLLOUT:
            self.inbound.receive()


class Traffic:
    """Bytes handed on in one direction of a proxy, over all its connections."""

    __slots__ = ("passed_bytes",)

    def __init__(self) -> None:
        self.passed_bytes = 0


class Link:
    """Reads, hands on at once where no toxic is in force, and stops reading where it must hold.

    Memory is bounded: beyond its limit a link reads no more, and so the sender is held up by TCP.
    """

    def __init__(self, source: Endpoint, sink: Endpoint, stream: str, traffic: Traffic) -> None:
        self.source, self.sink, self.stream, self.traffic = source, sink, stream, traffic
        self.connection = source.connection
        self.loop = source.connection.loop
        self.stages: list[Stage] = []
        self.pending: deque[bytes] = deque()
        self.held_bytes = 0
        self.is_reading = True
        self.has_ended = False  # the source's FIN was read
        self.is_ending = False  # it came out of the last stage
        self.is_over = False  # and was handed to the sink
        self.is_cut = False  # a toxic ended it, so the whole connection ends with it
        source.inbound = sink.outbound = self

    def receive(self) -> None:
        """Take what is there and hand it on."""
        if self.stages or self.pending:
            self._receive_chunk()
            return
        buffer = self.loop.buffer
        try:
            size = self.source.sock.recv_into(buffer)
            if not size:
                self._source_ended()
                return
            sent = self._send(buffer[:size])
        except BlockingIOError:
            return
        except OSError:
            self.connection.reset()
            return
        if sent < size:
            self._keep(bytes(buffer[sent:size]))

    def _receive_chunk(self) -> None:
        try:
            data = self.source.sock.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.connection.reset()
            return
        if data:
            self.feed(data, 0)
        else:
            self._source_ended()

    def _source_ended(self) -> None:
        self.has_ended = True
        self.follow()
        self.end(0)

    def feed(self, data: bytes, position: int) -> None:
        """Hand data to the stage at this position; behind the last one is the sink."""
        if self.connection.is_closed:
            return
        if position < len(self.stages):
            self.stages[position].feed(data)
        elif self.pending or self.connection.is_frozen:
            self._keep(data)
        else:
            try:
                sent = self._send(data)
            except OSError:
                self.connection.reset()
                return
            if sent < len(data):
                self._keep(data[sent:])

    def end(self, position: int) -> None:
        """Hand the end of the stream to the stage at this position, or to the sink."""
        if self.connection.is_closed:
            return
        if position < len(self.stages):
            self.stages[position].feed_end()
        else:
            self.is_ending = True
            if not self.pending:
                self._finish()

    def hold(self, size_bytes: int) -> None:
        """Account for what is held back, and for what is let go (negative)."""
        if self.connection.is_closed:
            return
        self.held_bytes += size_bytes
        self.loop.held_bytes += size_bytes
        self.follow()

    def follow(self) -> None:
        """Read, or do not, as what is held back allows."""
        if self.connection.is_closed:
            return
        is_reading = not self.has_ended and self._has_room()
        if is_reading != self.is_reading:
            self.is_reading = is_reading
            self.source.update()

    def _has_room(self) -> bool:
        held_bytes = self.held_bytes
        if not self.stages:
            return held_bytes == 0
        if held_bytes < _HELD_BYTES:
            return True
        limit_bytes = _HELD_BYTES + sum(stage.allowance_bytes for stage in self.stages)
        return held_bytes < limit_bytes and self.loop.held_bytes < _HELD_BYTES_OF_ALL

    def send_pending(self) -> None:
        """Send on what the sink did not take before."""
        pending = self.pending
        try:
            while pending:
                data = pending[0]
                sent = self._send(data)
                if sent < len(data):
                    pending[0] = data[sent:]
                    self.hold(-sent)
                    return
                pending.popleft()
                self.hold(-sent - OVERHEAD_BYTES)
        except OSError:
            self.connection.reset()
            return
        self.sink.update()
        if self.is_ending:
            self._finish()

    def _send(self, data: "bytes | memoryview") -> int:
        try:
            sent = self.sink.sock.send(data)
        except BlockingIOError:
            return 0
        self.traffic.passed_bytes += sent
        return sent

    def _keep(self, data: bytes) -> None:
        self.pending.append(data)
        self.hold(len(data) + OVERHEAD_BYTES)
        self.sink.update()

    def _finish(self) -> None:
        if self.connection.is_frozen or self.is_over:
            return
        self.is_over = True
        self.connection.link_over(self)
