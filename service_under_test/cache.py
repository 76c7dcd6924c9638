"""A cache of predictions in Redis that may vanish at any time and never fails a request."""

import asyncio
import hashlib
import random
import time
from contextlib import suppress

from service_under_test.logs import EventLog
from service_under_test.predictions import Outputs
from service_under_test.redis_connection import Command, RedisConnection, connect_to_redis

TIMEOUT_S = 0.025
PROBE_FIRST_S = 0.1
PROBE_LAST_S = 1.0
STEADY_S = 5.0  # a connection that held so long was a good one: the next probe is quick again
CHECKSUM_SIZE = 16
KEEP_S = 3600
UNSENT_LIMIT = 1024
PACE_S = 0.002  # under load more questions share a journey; a lone one leaves at once
SEND_AT_LATEST_S = 0.01

Questions = dict[str, asyncio.Future[bytes | None]]


class Cache:
    """Looks up and keeps outputs; questions that come together travel together.

    The circuit is open until Redis has answered a ping of ours, and opens at the first failure:
    no caller ever waits for a cache that is known to be away, and each loss costs one timeout.
    """

    def __init__(self, cache_url: str, log: EventLog) -> None:
        self._cache_url = cache_url
        self._log = log
        self._connected = False
        self._work = asyncio.Event()
        self._questions: Questions = {}
        self._unsent: dict[str, bytes] = {}

    @property
    def available(self) -> bool:
        """Tell whether asking is worth it."""
        return self._connected

    async def find(self, key: str, batch: int) -> Outputs | None:
        """Give the outputs kept under the key, or nothing, within the timeout."""
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = asyncio.get_running_loop().create_future()
            self._work.set()
        value = await asyncio.shield(question)  # another caller may wait for the same answer
        return None if value is None else _unpack(key, value, batch)

    def keep(self, key: str, outputs: Outputs) -> None:
        """Keep the outputs, if there is room; they travel with the next question, or soon alone."""
        if self._connected and len(self._unsent) < UNSENT_LIMIT:
            if not self._unsent:
                asyncio.get_running_loop().call_later(SEND_AT_LATEST_S, self._work.set)
            self._unsent[key] = _pack(key, outputs)

    async def run(self) -> None:
        """Connect, serve while Redis answers, and probe while it does not, until cancelled.

        A probe is a connection of its own: no request waits for it.
        """
        pause_s = PROBE_FIRST_S
        while self._cache_url:
            begun_s = time.monotonic()
            with suppress(Exception):  # whatever it was, the answer is to try again soon
                async with asyncio.timeout(TIMEOUT_S):
                    connection = await connect_to_redis(self._cache_url)
                await self._serve(connection)
            if time.monotonic() - begun_s > STEADY_S:
                pause_s = PROBE_FIRST_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, PROBE_LAST_S)

    async def _serve(self, connection: RedisConnection) -> None:
        self._connected = True
        self._log.info("cache_connected")
        next_s = 0.0
        try:
            while True:
                await self._work.wait()
                await asyncio.sleep(next_s - time.monotonic())
                next_s = time.monotonic() + (PACE_S if len(self._questions) > 1 else 0)
                self._work.clear()
                await self._travel(connection)
        except Exception as error:
            self._log.warning("cache_lost", reason=type(error).__name__)
            raise
        finally:
            self._connected = False
            connection.close()
            self._unsent.clear()
            _answer(self._questions, [])
            self._questions = {}

    async def _travel(self, connection: RedisConnection) -> None:
        """Send all questions and all that is to be kept in one round trip."""
        questions, self._questions = self._questions, {}
        unsent, self._unsent = self._unsent, {}
        commands: list[Command] = [("SET", *item, "EX", KEEP_S) for item in unsent.items()]
        if not commands and not questions:
            return
        if questions:
            commands.append(("MGET", *questions))
        values: object = None
        try:
            answers = await connection.exchange(commands, TIMEOUT_S)
            values = answers[-1] if questions else None
        finally:
            _answer(questions, values if isinstance(values, list) else [])


def _answer(questions: Questions, values: list[object]) -> None:
    """Answer every question; what was not found, or not asked in time, is nothing."""
    padded = values + [None] * (len(questions) - len(values))
    for question, value in zip(questions.values(), padded, strict=True):
        if not question.done():
            question.set_result(value if isinstance(value, bytes) else None)


def _pack(key: str, outputs: Outputs) -> bytes:
    content = outputs.labels + outputs.probabilities
    return _checksum(key, content) + content


def _unpack(key: str, value: bytes, batch: int) -> Outputs | None:
    """Read what was kept; what is not whole, or not under its own key, counts as nothing."""
    content = value[CHECKSUM_SIZE:]
    if value[:CHECKSUM_SIZE] != _checksum(key, content):
        return None
    labels, probabilities = content[: 8 * batch], content[8 * batch :]
    if len(labels) != 8 * batch or not probabilities or len(probabilities) % (4 * batch):
        return None
    return Outputs(probabilities=probabilities, labels=labels)


def _checksum(key: str, content: bytes) -> bytes:
    """Bind what is kept to its key: a bit that flips on the way must not become an answer."""
    return hashlib.blake2b(key.encode() + content, digest_size=CHECKSUM_SIZE).digest()
