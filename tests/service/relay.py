"""A TCP relay that does to a connection what networks do: late, cut, swallowed, garbled."""

import asyncio
import random
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Self

from tests.service.backing import free_port

_CHUNK = 64 * 1024


class Relay:
    """Passes bytes both ways between a port of its own and a server's; faults act at once.

    Open connections suffer as new ones do, but for those faults that name one of the two.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self.flips = 0
        self.heal()

    def heal(self) -> None:
        """Pass everything, at once and unchanged; connections that were lost stay lost."""
        self.delay_s = 0.0  # added in each direction
        self.swallows = False  # bytes vanish; connections stay open, and new ones are taken
        self.resets = False  # a new connection is reset with the first bytes from the server
        self.cut_after_bytes: int | None = None  # of what a server says on one connection
        self.flip_share = 0.0  # of the server's chunks, one bit changed
        self.rate_bytes_per_s: float | None = None  # of what the server says

    def swallow_open_connections(self) -> None:
        """Let what is connected now be dead without knowing it; new connections are fine."""
        for link in list(self._links):
            link.is_dead = True

    def reset_open_connections(self) -> None:
        """Reset every connection."""
        self._loop.call_soon_threadsafe(lambda: [link.reset() for link in list(self._links)])

    def refuse(self) -> None:
        """Listen no more, and reset what is connected."""
        self._run(self._close())

    def listen(self) -> None:
        """Take connections (again)."""
        self._run(self._open())

    @property
    def is_refusing(self) -> bool:
        """Whether nobody listens."""
        return self._server is None

    def _run(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):  # cancelled: the relay ends
            far = await asyncio.open_connection("127.0.0.1", self._target_port)
            link = _Link(self, (reader, writer), far)
            self._links.add(link)
            try:
                await link.run()
            finally:
                self._links.discard(link)

    def __enter__(self) -> Self:
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        await self._close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection through the relay."""

    def __init__(self, relay: Relay, near: _Ends, far: _Ends) -> None:
        self._relay = relay
        self._near = near
        self._far = far
        self.is_dead = False

    async def run(self) -> None:
        """Pass bytes until one side hangs up."""
        up = asyncio.create_task(self._pass(self._near[0], self._far[1], from_server=False))
        down = asyncio.create_task(self._pass(self._far[0], self._near[1], from_server=True))
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        down.cancel()
        self._far[1].close()
        self._near[1].close()

    def reset(self) -> None:
        """Hang up on both sides without a word."""
        self._near[1].transport.abort()
        self._far[1].transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        passed = 0
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                relay = self._relay
                if relay.swallows or self.is_dead:
                    continue
                if from_server and relay.resets:
                    self.reset()
                    return
                if from_server and random.random() < relay.flip_share:  # noqa: S311 - no secret
                    data = _flip(data)
                    relay.flips += 1
                if from_server and relay.cut_after_bytes is not None:
                    room = relay.cut_after_bytes - passed
                    writer.write(data[: max(0, room)])
                    passed += len(data)
                    if len(data) >= room:
                        await writer.drain()
                        return
                elif from_server and relay.rate_bytes_per_s is not None:
                    await self._trickle(data, writer)
                elif relay.delay_s:
                    loop.call_later(relay.delay_s, writer.write, data)
                else:
                    writer.write(data)

    async def _trickle(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while data:
            rate = self._relay.rate_bytes_per_s
            size = len(data) if rate is None else max(1, int(rate / 10))
            writer.write(data[:size])
            data = data[size:]
            if data:
                await asyncio.sleep(0.1)


def _flip(data: bytes) -> bytes:
    place = random.randrange(len(data))  # noqa: S311 - no secret
    bit = 1 << random.randrange(8)  # noqa: S311 - no secret
    return data[:place] + bytes((data[place] ^ bit,)) + data[place + 1 :]
