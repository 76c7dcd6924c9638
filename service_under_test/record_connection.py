"""Gets a connection to PostgreSQL that has proven itself, however often it takes."""

import asyncio
import random
import time
from typing import TypeAlias

import asyncpg

from service_under_test.logs import EventLog
from service_under_test.record_table import INSERT, ensure_table, given

ATTEMPT_TIMEOUT_S = 5.0  # a database 200 ms away in each direction takes 2 to 3 s to greet
NEXT_ATTEMPT_S = 0.7
"""An attempt that has said nothing for so long gets company: it may be slow, it may be swallowed,
and waiting tells which only when it is too late. The first that succeeds is taken."""
BACKOFF_FIRST_S = 0.05
BACKOFF_LAST_S = 0.5

Database: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def connect_at_last(url: str, replica: str, log: EventLog) -> Database:
    """Try until one attempt succeeds; an outage is logged once, when it begins."""
    attempts: set[asyncio.Task[Database]] = set()
    backoff_s, tried, begun_s, away = BACKOFF_FIRST_S, 0, time.monotonic(), False
    try:
        while True:
            tried += 1
            attempts.add(asyncio.create_task(_connect(url, replica)))
            wait_s = NEXT_ATTEMPT_S * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
            done, attempts = await asyncio.wait(
                attempts, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
            )
            won = [attempt for attempt in done if attempt.exception() is None]
            if won:
                attempts.update(won[1:])
                after_ms = round(1000 * (time.monotonic() - begun_s))
                log.info("database_connected", attempts=tried, after_ms=after_ms)
                return won[0].result()
            if not away:  # without the message: it may quote the url
                reason = type(done.pop().exception()).__name__ if done else "no answer yet"
                log.warning("database_away", reason=reason)
                away = True
            if done:
                await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                backoff_s = min(backoff_s * 2, BACKOFF_LAST_S)
    finally:
        for attempt in attempts:
            attempt.add_done_callback(_hang_up)
            attempt.cancel()


def _hang_up(attempt: "asyncio.Task[Database]") -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


async def _connect(url: str, replica: str) -> Database:
    """Connect, and run the one statement with no rows: the first caller finds it prepared."""
    async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
        connection = await asyncpg.connect(
            url,
            timeout=ATTEMPT_TIMEOUT_S,
            server_settings={
                "application_name": replica[:63],
                "synchronous_commit": "on",  # what we acknowledge must survive the database too
            },
        )
        try:
            try:
                await connection.fetch(INSERT, given([], replica))
            except asyncpg.UndefinedTableError:
                await ensure_table(connection)
                await connection.fetch(INSERT, given([], replica))
        except BaseException:
            connection.terminate()
            raise
    return connection
