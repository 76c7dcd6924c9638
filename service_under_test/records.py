"""Records every prediction in PostgreSQL before it is acknowledged, many in one commit."""

import asyncio
import random
import time
from dataclasses import dataclass, field

import asyncpg

from service_under_test.logs import EventLog
from service_under_test.metrics import Metrics
from service_under_test.predictions import Outputs, Prediction
from service_under_test.record_table import INSERT, columns, ensure_table, stored_rows

CONNECT_TIMEOUT_S = 1.0
COMMAND_TIMEOUT_S = 1.0
BACKOFF_FIRST_S = 0.05
PACE_S = 0.002  # under load more records share a commit; a lone one is written at once
BACKOFF_LAST_S = 1.0


class RecordsAwayError(Exception):
    """The record could not be proven durable, so nothing may be acknowledged."""


class RequestIdTakenError(Exception):
    """The id already stands for another input."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer that stands under a request id: the first one that was recorded."""

    input_digest: bytes
    model_version: str
    model_digest: str
    outputs: Outputs


@dataclass(slots=True)
class _Entry:
    """One id in the next group, and everybody who waits for it."""

    prediction: Prediction
    executions: int
    waiters: list[asyncio.Future[Stored]] = field(default_factory=list)


class Records:
    """Group commit: while one group is being written, the next one gathers.

    One connection and one statement at a time is enough, because a group takes in all that came
    during the commit before it; the cost of making it durable is shared by all of them.
    """

    def __init__(self, database_url: str, replica: str, metrics: Metrics, log: EventLog) -> None:
        self._database_url = database_url
        self._replica = replica
        self._metrics = metrics
        self._log = log
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._pending: dict[str, _Entry] = {}
        self._work = asyncio.Event()
        self._lost = asyncio.Event()
        self.connected_once = asyncio.Event()

    @property
    def available(self) -> bool:
        """Tell whether a record can be tried at all."""
        return self._connection is not None

    async def record(self, prediction: Prediction) -> Stored:
        """Return once the record is durable, with the answer that stands under its id."""
        if self._connection is None:
            raise RecordsAwayError
        entry = self._pending.get(prediction.request_id)
        if entry is None:
            entry = self._pending[prediction.request_id] = _Entry(prediction, 0)
        if entry.prediction.input_digest != prediction.input_digest:
            raise RequestIdTakenError
        entry.executions += prediction.executions
        waiter: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        entry.waiters.append(waiter)
        self._work.set()
        stored = await waiter
        if stored.input_digest != prediction.input_digest:
            raise RequestIdTakenError
        return stored

    async def run(self) -> None:
        """Keep a connection and write group after group, until cancelled."""
        backoff_s, away = BACKOFF_FIRST_S, False
        while True:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    connection = await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever it was, the answer is to try again
                pause_s = backoff_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
                backoff_s = min(backoff_s * 2, BACKOFF_LAST_S)
                if not away:  # once for each outage, and without the message: it may quote the url
                    self._log.warning("database_away", reason=type(error).__name__)
                away = True
                await asyncio.sleep(pause_s)
                continue
            backoff_s, away = BACKOFF_FIRST_S, False
            self._log.info("database_connected")
            self._connection = connection
            self.connected_once.set()
            try:
                await self._write_groups(connection)
            finally:
                self._connection = None
                connection.terminate()
                self._fail_pending()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect, and run the one statement with no rows: the first caller finds it prepared."""
        connection = await asyncpg.connect(
            self._database_url,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={
                "application_name": self._replica[:63],
                "synchronous_commit": "on",  # what we acknowledge must survive the database too
            },
        )
        try:
            await ensure_table(connection)
            await connection.fetch(INSERT, *columns([], self._replica))
        except BaseException:
            connection.terminate()
            raise
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._notice_loss())
        return connection

    def _notice_loss(self) -> None:
        self._lost.set()
        self._work.set()

    async def _write_groups(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        next_s = 0.0
        while not self._lost.is_set():
            await self._work.wait()
            await asyncio.sleep(next_s - time.monotonic())
            next_s = time.monotonic() + (PACE_S if len(self._pending) > 1 else 0)
            self._work.clear()
            group, self._pending = self._pending, {}
            entries = [entry for entry in group.values() if _is_awaited(entry)]
            if not entries:
                continue
            self._metrics.queued_records.set(len(entries))
            try:
                await self._write(connection, entries)
            except Exception as error:  # noqa: BLE001 - no failure of any kind may acknowledge
                # It may be committed or not. Nobody is told yes; who asks again gets what stands.
                self._log.warning("database_lost", reason=type(error).__name__)
                _fail(entries)
                return
            except BaseException:
                _fail(entries)
                raise

    async def _write(
        self, connection: "asyncpg.Connection[asyncpg.Record]", entries: list[_Entry]
    ) -> None:
        # Sorted, so that two replicas with the same ids lock the rows in the same order.
        entries.sort(key=lambda entry: entry.prediction.request_id)
        rows = [(entry.prediction, entry.executions) for entry in entries]
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            answer = await connection.fetch(INSERT, *columns(rows, self._replica))
        stored = {
            request_id: Stored(input_digest, version, digest, outputs)
            for request_id, input_digest, version, digest, outputs in stored_rows(answer)
        }
        for entry in entries:
            for waiter in entry.waiters:
                if not waiter.done():
                    waiter.set_result(stored[entry.prediction.request_id])

    def _fail_pending(self) -> None:
        group, self._pending = self._pending, {}
        _fail(list(group.values()))


def _is_awaited(entry: _Entry) -> bool:
    """A caller whose deadline has passed waits for nothing; its record would tell of no answer."""
    return any(not waiter.done() for waiter in entry.waiters)


def _fail(entries: list[_Entry]) -> None:
    for entry in entries:
        for waiter in entry.waiters:
            if not waiter.done():
                waiter.set_exception(RecordsAwayError())
