"""A wire to one service: connected for as long as it can be, as a gRPC channel is."""

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Literal, Self

from harness.load.http2.answers import DEADLINE_EXCEEDED, UNAVAILABLE
from harness.load.http2.calls import Call
from harness.load.http2.connection import Connection
from harness.load.http2.deadlines import Deadlines
from harness.load.http2.headers import request_headers
from harness.load.oip import METHOD
from harness.load.wire import CANCELLED, Reply, unreachable

_ATTEMPT_S = 1.0  # for one connection, up to the server's SETTINGS
_FIRST_PAUSE_S = 0.02  # between attempts, doubled after each
_LONGEST_PAUSE_S = 0.25
_STABLE_S = 0.25  # a connection that lasted so long is followed by another without a pause
_LATE = Reply(DEADLINE_EXCEEDED, "Deadline Exceeded", None)  # gRPC's own words
_CLOSED = Reply(CANCELLED, "the wire was closed", None)


class Http2Wire:
    """Calls to one service over one connection at a time (a draining one may still finish).

    As in gRPC (doc/connectivity-semantics-and-api.md, doc/wait-for-ready.md): while connecting,
    calls wait for the outcome; once an attempt has failed they fail at once, until one succeeds.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._headers = request_headers(address, METHOD)
        self._state: Literal["connecting", "ready", "failing"] = "connecting"
        self._why = ""  # the last attempt failed
        self._connection: Connection | None = None  # takes calls
        self._connections: list[Connection] = []  # has calls in flight, perhaps
        self._waiting: deque[Call] = deque()  # for a connection, or for room on it
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._deadlines = Deadlines(loop, self._expire)
        self._first: asyncio.Future[None] = loop.create_future()
        self._keeper = loop.create_task(self._keep_connected())

    @classmethod
    async def connect(cls, address: str, timeout_s: float) -> Self:
        """Open a connection. Raises LoadError if there is none in time."""
        wire = cls(address)
        try:
            async with asyncio.timeout(timeout_s):
                await wire._first
        except TimeoutError:
            await wire.close()
            raise unreachable(address, timeout_s) from None
        return wire

    def send(
        self, body: bytes, request_id: str, attempt: int, timeout_s: float
    ) -> asyncio.Future[Reply]:
        """Hand an attempt over at once; what is returned gives its outcome and never raises."""
        deadline_s = time.monotonic() + timeout_s
        call = Call(request_id, attempt, body, deadline_s, self._loop.create_future())
        if self._connection is not None and not self._waiting and self._connection.has_room:
            self._connection.start(call, timeout_s)
        elif self._state == "failing":
            call.finish(Reply(UNAVAILABLE, self._why, None))
            return call.reply
        else:
            self._waiting.append(call)
        self._deadlines.watch(call)
        return call.reply

    async def close(self) -> None:
        """Drop the connection, and with it what is still in flight."""
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        for connection in self._connections:
            connection.close(_CLOSED)
        self._connection = None
        self._fail(_CLOSED.detail)
        self._deadlines.close()
        await asyncio.sleep(0)  # in which the sockets are closed

    def retired(self, connection: Connection) -> None:
        """Have calls wait for the next connection."""
        if connection is self._connection:
            self._connection = None
            self._state = "connecting"

    def again(self, call: Call) -> None:
        """Send once more, on the next connection, what the server never looked at."""
        if self._state == "failing":
            call.finish(Reply(UNAVAILABLE, self._why, None))
        else:
            self._waiting.append(call)

    def freed(self) -> None:
        """Send what waits, as far as there is room."""
        connection = self._connection
        while self._waiting and connection is not None and connection.has_room:
            call = self._waiting.popleft()
            left_s = call.deadline_s - time.monotonic()
            if left_s > 0 and not call.reply.done():
                connection.start(call, left_s)

    async def _keep_connected(self) -> None:
        pause_s = 0.0
        while True:
            try:
                async with asyncio.timeout(_ATTEMPT_S):
                    connection = await self._open()
            except (OSError, UnicodeError) as error:  # a time-out is an OSError; idna's is not
                # A server that is just ending resets whom it had accepted: try its successor first.
                if pause_s or not isinstance(error, ConnectionResetError):
                    where = f"{self._host}:{self._port}"
                    self._fail(f"no connection to {where}: {str(error) or 'timed out'}")
            else:
                began_s = time.monotonic()
                self._adopt(connection)
                await connection.retired
                if time.monotonic() - began_s >= _STABLE_S:
                    pause_s = 0.0
                    continue
            pause_s = min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _open(self) -> Connection:
        _, connection = await self._loop.create_connection(
            lambda: Connection(self, self._headers), self._host, self._port
        )
        try:
            await connection.ready
        except BaseException:  # whatever it was, no socket stays behind
            connection.close(_CLOSED)
            raise
        return connection

    def _adopt(self, connection: Connection) -> None:
        self._connections = [each for each in self._connections if not each.is_lost]
        self._connections.append(connection)
        if connection.retired.done():  # it was lost, or told to go, in this very turn of the loop
            self._state = "connecting"
            return
        self._connection, self._state = connection, "ready"
        if not self._first.done():
            self._first.set_result(None)
        self.freed()

    def _fail(self, why: str) -> None:
        self._state, self._why = "failing", why
        while self._waiting:
            self._waiting.popleft().finish(Reply(UNAVAILABLE, why, None))

    def _expire(self, call: Call) -> None:
        if call.connection is not None:
            call.connection.cancel(call, _LATE)
        else:
            call.finish(_LATE)
