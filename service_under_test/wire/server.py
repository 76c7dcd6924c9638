"""The gRPC port: takes connections, and leaves them in good order."""

import asyncio
from contextlib import suppress

from service_under_test.wire.calls import Report, Routes
from service_under_test.wire.connection import Connection

BACKLOG = 1024
LAST_WORDS_S = 0.2  # for the last refusals to leave


class Server:
    """Serves the routes on one port."""

    def __init__(self, routes: Routes, report: Report) -> None:
        self._routes = routes
        self._report = report
        self._connections: set[Connection] = set()
        self._nobody_left = asyncio.Event()
        self._is_stopping = False
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen on every address. Raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connect,
            "0.0.0.0",  # noqa: S104 - the platform calls from outside
            port,
            backlog=BACKLOG,
        )

    def _connect(self) -> Connection:
        connection = Connection(self._routes, self._report, self._lose)
        self._connections.add(connection)
        if self._is_stopping:  # it was accepted in the moment in which we closed the door
            asyncio.get_running_loop().call_later(0.0, connection.leave)
        return connection

    def _lose(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._nobody_left.set()

    async def stop(self, grace_s: float) -> None:
        """Take no more connections, finish what was accepted, and hang up.

        Streams that may stay open for ever (a Watch, a reflection) hold nothing up. Calls that are
        not done within the grace get UNAVAILABLE.
        """
        self._is_stopping = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.leave()
            for call in list(connection.calls.values()):
                if call.is_stream:
                    call.stop()
        if not await self._are_gone(grace_s):
            for connection in list(self._connections):
                connection.abort()
            await self._are_gone(LAST_WORDS_S)

    async def _are_gone(self, within_s: float) -> bool:
        self._nobody_left.clear()
        if self._connections:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._nobody_left.wait()
        return not self._connections
