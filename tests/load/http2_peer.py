"""A server made of single frames, for what a real gRPC server never sends."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from harness.load.http2 import frames
from harness.load.http2.headers import literal
from harness.load.http2.wire import Http2Wire

OK_HEAD = b"\x88" + literal(b"content-type", b"application/grpc")  # 0x88 is :status 200
OK_TRAILERS = literal(b"grpc-status", b"0")
LIMIT_S = 5.0
Frame = tuple[int, int, int, bytes]  # kind, flags, stream id, payload


class Link:
    """One accepted connection."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self._rest = b""

    async def greet(self, settings: Mapping[int, int] | None = None) -> Self:
        """Read the preface, and be an HTTP/2 server."""
        self.send(frames.settings(dict(settings or {})))
        assert await self._read(len(frames.PREFACE)) == frames.PREFACE
        return self

    async def frame(self, kind: int) -> Frame:
        """Read up to the next frame of a kind."""
        while True:
            high, low, seen, flags, stream_id = frames.HEADER.unpack(await self._read(9))
            payload = await self._read(high << 8 | low)
            if seen == kind:
                return seen, flags, stream_id, payload

    async def request(self) -> tuple[int, bytes, bytes]:
        """Read one request that comes in whole: its stream id, header block and body."""
        _, _, stream_id, block = await self.frame(frames.HEADERS)
        message = b""
        while True:
            _, flags, same_id, payload = await self.frame(frames.DATA)
            assert same_id == stream_id
            message += payload
            if flags & frames.END_STREAM:
                return stream_id, block, message[5:]

    def send(self, *parts: bytes) -> None:
        """Send frames."""
        self.socket.sendall(b"".join(parts))

    def answer(self, stream_id: int, body: bytes) -> None:
        """Answer with OK and a body."""
        self.send(
            headers(stream_id, OK_HEAD),
            data(stream_id, message(body)),
            headers(stream_id, OK_TRAILERS, frames.END_STREAM),
        )

    async def is_closed(self) -> bool:
        """Read until the client has closed its side."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT_S):
            while await loop.sock_recv(self.socket, 65_536):
                pass
        return True

    async def _read(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT_S):
            while len(self._rest) < size:
                chunk = await loop.sock_recv(self.socket, 1 << 20)
                if not chunk:
                    raise ConnectionError("the client closed the connection")
                self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class Peer:
    """A listening socket whose connections a test plays by hand."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._links: list[Link] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    async def accept(self) -> Link:
        """Wait for the next connection."""
        async with asyncio.timeout(LIMIT_S):
            accepted, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        accepted.settimeout(None)
        accepted.setblocking(False)
        self._links.append(Link(accepted))
        return self._links[-1]

    def close(self) -> None:
        """Listen no more; what is connected stays."""
        self._listener.close()

    def hang_up(self) -> None:
        """Close everything."""
        self.close()
        for link in self._links:
            link.socket.close()


def play(
    scene: Callable[[Peer, Http2Wire, Link], Awaitable[None]],
    settings: Mapping[int, int] | None = None,
) -> None:
    """Play a scene between a wire and a peer that are connected."""

    async def both() -> None:
        peer = Peer()
        connecting = asyncio.create_task(Http2Wire.connect(peer.address, LIMIT_S))
        link = await (await peer.accept()).greet(settings)
        wire = await connecting
        try:
            async with asyncio.timeout(4 * LIMIT_S):
                await scene(peer, wire, link)
        finally:
            await wire.close()
            peer.hang_up()

    asyncio.run(both())


def headers(stream_id: int, block: bytes, flags: int = 0) -> bytes:
    """Make a whole HEADERS frame."""
    return frames.frame(frames.HEADERS, frames.END_HEADERS | flags, stream_id, block)


def data(stream_id: int, payload: bytes, flags: int = 0) -> bytes:
    """Make DATA frames."""
    size = frames.LEAST_FRAME_SIZE
    parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    made = [frames.frame(frames.DATA, 0, stream_id, part) for part in parts[:-1]]
    return b"".join((*made, frames.frame(frames.DATA, flags, stream_id, parts[-1])))


def message(body: bytes, compressed: int = 0) -> bytes:
    """Make a gRPC message."""
    return struct.pack(">BL", compressed, len(body)) + body
