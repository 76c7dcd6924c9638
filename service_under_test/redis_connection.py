"""One connection to Redis that sends many commands in one write.

redis-py does more than is wanted here (pools, retries, clusters) and costs 70 ms at the start and
0.2 ms for each round trip, more than the inference that the cache saves. hiredis reads and writes
the wire format; this adds only the socket.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import hiredis

GREETING_TIMEOUT_S = 1.0  # whoever connects has a shorter one of his own
Command = tuple[str | bytes | int, ...]


class RedisConnection(asyncio.Protocol):
    """Exchanges one bundle of commands at a time; after any failure it must be closed."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._transport: asyncio.BaseTransport | None = None
        self._answers: list[object] = []
        self._expected = 0
        self._exchange: asyncio.Future[list[object]] | None = None
        self._lost: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Fail whoever waits, and whoever comes later."""
        self._fail(error or ConnectionResetError("Redis closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Gather answers until the bundle is complete."""
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                self._answers.append(answer)
        except hiredis.HiredisError as error:
            self._fail(error)
            return
        if self._exchange is not None and len(self._answers) >= self._expected:
            answers, self._answers = self._answers, []
            if not self._exchange.done():
                self._exchange.set_result(answers)

    def _fail(self, error: Exception) -> None:
        self._lost = error
        if self._exchange is not None and not self._exchange.done():
            self._exchange.set_exception(error)

    async def exchange(self, commands: Sequence[Command], timeout_s: float) -> list[object]:
        """Send all commands at once and give their answers; an error answer is raised.

        Raises TimeoutError where Redis is late. What is here already when the time is up was in
        time: it was our own loop that had no time to look.
        """
        if self._lost is not None:
            raise self._lost
        assert isinstance(self._transport, asyncio.WriteTransport)
        exchange: asyncio.Future[list[object]] = asyncio.get_running_loop().create_future()
        exchange.add_done_callback(_look_at)
        self._exchange = exchange
        self._expected = len(commands)
        # The stub says a tuple of one; the function takes any length.
        packed = [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]
        self._transport.write(b"".join(packed))
        await asyncio.wait((exchange,), timeout=timeout_s)
        if not exchange.done():
            await asyncio.sleep(0)
        self._exchange = None
        if not exchange.done():
            exchange.cancel()
            raise TimeoutError
        answers = exchange.result()
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def close(self) -> None:
        """Drop the connection without a word."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()


def _look_at(exchange: asyncio.Future[list[object]]) -> None:
    """A failure that comes after the one who waited has gone is no news."""
    if not exchange.cancelled():
        exchange.exception()


async def connect_to_redis(url: str) -> RedisConnection:
    """Connect, log in and choose the database as the address says."""
    address = urlsplit(url)
    _, connection = await asyncio.get_running_loop().create_connection(
        RedisConnection,
        address.hostname or "localhost",
        address.port or 6379,
        ssl=address.scheme == "rediss" or None,
    )
    greeting: list[Command] = [("PING",)]
    if address.path.strip("/"):
        greeting.insert(0, ("SELECT", address.path.strip("/")))
    if address.password:
        name = (unquote(address.username),) if address.username else ()
        greeting.insert(0, ("AUTH", *name, unquote(address.password)))
    try:
        await connection.exchange(greeting, GREETING_TIMEOUT_S)
    except BaseException:
        connection.close()
        raise
    return connection
