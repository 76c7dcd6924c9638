"""Records every prediction in PostgreSQL before it is acknowledged, many in one commit."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from service_under_test.logs import EventLog
from service_under_test.metrics import Metrics
from service_under_test.predictions import Outputs, Prediction
from service_under_test.record_connection import Database, connect_at_last
from service_under_test.record_table import INSERT, given, stored_rows

COMMAND_TIMEOUT_S = 1.0
PACE_S = 0.002  # under load more records share a commit; a lone one is written at once
HEARTBEAT_S = 0.5  # without traffic a group of nobody is written: a silent loss is noticed too
AWAY_AFTER_S = 0.3  # a connection that breaks and is back within this is no outage


class RecordsAwayError(Exception):
    """The record could not be proven durable, so nothing may be acknowledged."""


class TooLateError(Exception):
    """The deadline passed before the record was sent; nothing was written."""


class RequestIdTakenError(Exception):
    """The id already stands for another input."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer that stands under a request id: the first one that was recorded."""

    input_digest: bytes
    model_version: str
    model_digest: str
    outputs: Outputs


Waiter = tuple[asyncio.Future[Stored], float | None]  # and until when, on the monotonic clock


@dataclass(slots=True)
class _Entry:
    """One id in the next group, and everybody who waits for it."""

    prediction: Prediction
    executions: int
    waiters: list[Waiter] = field(default_factory=list)

    def is_awaited(self) -> bool:
        """Who is gone, or late, waits for nothing; a record would tell of no answer."""
        now_s = time.monotonic()
        for waiter, deadline_s in self.waiters:
            if deadline_s is not None and now_s >= deadline_s and not waiter.done():
                waiter.set_exception(TooLateError())
        return any(not waiter.done() for waiter, _ in self.waiters)

    def answer(self, stored: Stored) -> None:
        """Tell everybody what stands."""
        for waiter, _ in self.waiters:
            if not waiter.done():
                waiter.set_result(stored)

    def fail(self) -> None:
        """Tell everybody that nothing is proven."""
        for waiter, _ in self.waiters:
            if not waiter.done():
                waiter.set_exception(RecordsAwayError())


class Records:
    """Group commit: while one group is being written, the next one gathers.

    One connection and one statement at a time is enough, because a group takes in all that came
    during the commit before it; the cost of making it durable is shared by all of them.
    """

    def __init__(
        self,
        database_url: str,
        replica: str,
        metrics: Metrics,
        log: EventLog,
        tell: Callable[[bool], None],
    ) -> None:
        self._database_url = database_url
        self._replica = replica
        self._metrics = metrics
        self._log = log
        self._tell = tell  # whether records can be written: told when it changes for some time
        self._connection: Database | None = None
        self._pending: dict[str, _Entry] = {}
        self._work = asyncio.Event()
        self._lost = asyncio.Event()
        self.connected_once = asyncio.Event()

    @property
    def available(self) -> bool:
        """Tell whether a record can be tried at all."""
        return self._connection is not None

    async def record(self, prediction: Prediction, deadline_s: float | None) -> Stored:
        """Return once the record is durable, with the answer that stands under its id.

        Raises RecordsAwayError, TooLateError or RequestIdTakenError.
        """
        if self._connection is None:
            raise RecordsAwayError
        entry = self._pending.get(prediction.request_id)
        if entry is None:
            entry = self._pending[prediction.request_id] = _Entry(prediction, 0)
        if entry.prediction.input_digest != prediction.input_digest:
            raise RequestIdTakenError
        entry.executions += prediction.executions
        waiter: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        entry.waiters.append((waiter, deadline_s))
        self._work.set()
        stored = await waiter
        if stored.input_digest != prediction.input_digest:
            raise RequestIdTakenError
        return stored

    async def run(self) -> None:
        """Keep a connection and write group after group, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            telling = loop.call_later(AWAY_AFTER_S, self._tell, False)
            try:
                connection = await connect_at_last(self._database_url, self._replica, self._log)
            finally:
                telling.cancel()
            self._lost.clear()
            connection.add_termination_listener(self._notice_loss)
            self._connection = connection
            self._tell(True)
            self.connected_once.set()
            try:
                await self._write_groups(connection)
            finally:
                self._connection = None
                connection.terminate()
                group, self._pending = self._pending, {}
                for entry in group.values():
                    entry.fail()

    def _notice_loss(self, _: object) -> None:
        self._lost.set()
        self._work.set()

    async def _write_groups(self, connection: Database) -> None:
        next_s = 0.0
        while not self._lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._work.wait()
            await asyncio.sleep(next_s - time.monotonic())
            next_s = time.monotonic() + (PACE_S if len(self._pending) > 1 else 0)
            self._work.clear()
            group, self._pending = self._pending, {}
            entries = [entry for entry in group.values() if entry.is_awaited()]
            if group and not entries:
                continue
            self._metrics.queued_records.set(len(entries))
            try:
                await self._write(connection, entries)
            except Exception as error:  # noqa: BLE001 - no failure of any kind may acknowledge
                # It may be committed or not. Nobody is told yes; who asks again gets what stands.
                self._log.warning("database_lost", reason=type(error).__name__)
                return
            finally:
                for entry in entries:
                    entry.fail()  # whoever has no answer yet

    async def _write(self, connection: Database, entries: list[_Entry]) -> None:
        # Sorted, so that two replicas with the same ids lock the rows in the same order.
        entries.sort(key=lambda entry: entry.prediction.request_id)
        rows = [(entry.prediction, entry.executions) for entry in entries]
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            answer = await connection.fetch(INSERT, given(rows, self._replica))
        if not entries:
            return
        stored = {
            request_id: Stored(input_digest, version, digest, outputs)
            for request_id, input_digest, version, digest, outputs in stored_rows(
                answer, entries[0].prediction.model_name
            )
        }
        for entry in entries:
            entry.answer(stored[entry.prediction.request_id])
