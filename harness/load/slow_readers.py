"""Callers who ask and do not read: streams that are held open by a window of 0.

Each connection says SETTINGS_INITIAL_WINDOW_SIZE = 0 (RFC 9113, section 6.9.2), opens gRPC calls,
and never widens a window. So the server may send the headers of its answers, which flow control
does not hold back, and not one byte of their messages: whatever it keeps for them, it keeps.

On each connection one call follows the other, because a service that is any good refuses what comes
all at once; who is refused asks again.
"""

import asyncio
import math
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self

from harness.errors import LoadError
from harness.load.http2.calls import Call
from harness.load.http2.connection import Connection
from harness.load.http2.headers import request_headers
from harness.load.oip import METHOD, Workload
from harness.load.plan import Plan
from harness.load.wire import Reply

_CONNECT_S = 5.0
_OPEN_S = 5.0  # for all calls to be answered
_AGAIN_S = 0.05  # after a refusal
_HELD_S = 3600.0  # the deadline that their calls name: longer than any scenario
_ENDED = Reply(1, "the slow readers ended", None)


class SlowReaders:
    """So many connections with so many calls each, on a thread of their own.

    As a context manager it leaves nothing open. ``plan`` says where to, and which model and golden
    requests. They end with this process, whatever ends it.
    """

    def __init__(self, plan: Plan, connections: int, streams: int) -> None:
        self._plan = plan
        self._wanted = (connections, streams)
        self._workload = Workload.load(plan.golden, plan.model_name, plan.seed, plan.tolerance)
        self._connections: list[Connection] = []
        self._calls: list[Call] = []
        self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()  # something came on a connection
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow-readers")

    def open(self) -> None:
        """Open all connections, and calls for at most 5 s; ``held`` tells how many are answered.

        Raises LoadError where there is no connection.
        """
        self._thread.start()
        try:
            self._run(self._open()).result()
        except (OSError, TimeoutError) as error:  # a connection that was lost is an OSError
            told = f"{type(error).__name__}: {error}"
            raise LoadError(f"slow readers found no way to {self._plan.address}: {told}") from error

    def held(self) -> int:
        """Calls that have the headers of their answer, and neither a byte of it nor an end."""
        return sum(call.head is not None and not any(call.parts) for call in list(self._calls))

    def connected(self) -> int:
        """Connections that are open, at both ends as far as is known."""
        return sum(not connection.is_lost for connection in list(self._connections))

    def leave(self) -> None:
        """Close this side of each connection; the other side's closing is seen by ``connected``."""

        async def leave() -> None:
            for connection in self._connections:
                connection.leave()

        self._run(leave()).result()

    def retired(self, connection: Connection) -> None:
        """Nothing follows a connection that takes no more calls."""

    def freed(self) -> None:
        """Something may have come."""
        self._news.set()

    def again(self, call: Call) -> None:
        """What the server refused is not asked again."""
        call.finish(_ENDED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._run(self._abandon()).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        connections, streams = self._wanted
        async with asyncio.timeout(_CONNECT_S):
            for _ in range(connections):
                await self._connect()
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_S):
                every = [self._ask(each, streams) for each in self._connections]
                await asyncio.gather(*every)

    async def _connect(self) -> None:
        host, _, port = self._plan.address.rpartition(":")
        headers = request_headers(self._plan.address, METHOD)
        _, connection = await self._loop.create_connection(
            lambda: Connection(self, headers, stream_window=0), host.strip("[]"), int(port)
        )
        self._connections.append(connection)
        await connection.ready

    async def _ask(self, connection: Connection, streams: int) -> None:
        """Open calls until so many of them are answered, or the connection takes no more."""
        held = 0
        while held < streams and connection.has_room:
            held += await self._is_held(connection)

    async def _is_held(self, connection: Connection) -> bool:
        """Open one call, and wait for its headers or its end."""
        n = len(self._calls)
        request_id = f"{self._plan.id_prefix}{n:07d}"
        body = self._workload.body(self._workload.case(n), request_id)
        call = Call(request_id, 1, body, math.inf, self._loop.create_future())
        self._calls.append(call)
        connection.start(call, _HELD_S)
        while call.head is None and not call.is_over:
            self._news.clear()
            await self._news.wait()
        if call.is_over:
            await asyncio.sleep(_AGAIN_S)
        return not call.is_over

    async def _abandon(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        for connection in self._connections:
            connection.close(_ENDED)
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # in which the sockets are closed

    def _run(self, work: Coroutine[None, None, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
