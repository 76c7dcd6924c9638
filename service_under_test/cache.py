"""A cache of predictions in Redis that may vanish at any time and never fails a request."""

import asyncio
import importlib
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from service_under_test.logs import EventLog
from service_under_test.predictions import Outputs

TIMEOUT_S = 0.025
PROBE_INTERVAL_S = 1.0
KEEP_S = 3600
UNSENT_LIMIT = 1024


class Pipeline(Protocol):
    """The part of a Redis pipeline that is used here."""

    def mget(self, keys: Sequence[str]) -> object: ...  # noqa: D102
    def set(self, name: str, value: bytes, *, ex: int) -> object: ...  # noqa: D102
    async def execute(self) -> list[object]: ...  # noqa: D102


class Client(Protocol):
    """The part of a Redis client that is used here."""

    def pipeline(self, *, transaction: bool) -> Pipeline: ...  # noqa: D102
    async def ping(self) -> object: ...  # noqa: D102


class Cache:
    """Looks up and keeps outputs; questions that come together travel together.

    The circuit is open until Redis has answered a ping of ours, and opens at the first failure:
    no caller ever waits for a cache that is known to be away, and each loss costs one timeout.
    """

    def __init__(self, cache_url: str, log: EventLog) -> None:
        self._cache_url = cache_url
        self._log = log
        self._client: Client | None = None
        self._closed_circuit = False
        self._lost = asyncio.Event()
        self._work = asyncio.Event()
        self._questions: dict[str, asyncio.Future[bytes | None]] = {}
        self._unsent: dict[str, bytes] = {}

    @property
    def available(self) -> bool:
        """Tell whether asking is worth it."""
        return self._closed_circuit

    async def find(self, key: str, batch: int) -> Outputs | None:
        """Give the outputs kept under the key, or nothing, within the timeout."""
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = asyncio.get_running_loop().create_future()
            self._work.set()
        value = await asyncio.shield(question)
        return None if value is None else _unpack(value, batch)

    def keep(self, key: str, outputs: Outputs) -> None:
        """Keep the outputs with the next journey, if there is room; nobody waits for it."""
        if self._closed_circuit and len(self._unsent) < UNSENT_LIMIT:
            self._unsent[key] = outputs.labels + outputs.probabilities
            self._work.set()

    async def run(self) -> None:
        """Connect, serve while Redis answers, and probe while it does not, until cancelled."""
        if not self._cache_url:
            return
        self._client = await asyncio.to_thread(_connect, self._cache_url)
        while True:
            with suppress(Exception):
                async with asyncio.timeout(TIMEOUT_S):
                    await self._client.ping()
                self._closed_circuit = True
                self._log.info("cache_connected")
                await self._serve(self._client)
            await asyncio.sleep(PROBE_INTERVAL_S * random.uniform(0.5, 1.0))  # noqa: S311

    async def _serve(self, client: Client) -> None:
        try:
            while True:
                await self._work.wait()
                await asyncio.sleep(0)  # what arrived with the first goes with it
                self._work.clear()
                questions, self._questions = self._questions, {}
                await self._travel(client, questions)
        except Exception as error:
            self._log.warning("cache_lost", reason=type(error).__name__)
            raise
        finally:
            self._closed_circuit = False
            self._unsent.clear()
            _answer(self._questions, [])
            self._questions = {}

    async def _travel(
        self, client: Client, questions: dict[str, asyncio.Future[bytes | None]]
    ) -> None:
        """Send all questions and all that is to be kept in one round trip."""
        unsent, self._unsent = self._unsent, {}
        pipeline = client.pipeline(transaction=False)
        for key, value in unsent.items():
            pipeline.set(key, value, ex=KEEP_S)
        if questions:
            pipeline.mget(list(questions))
        values: list[object] = []
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answers = await pipeline.execute()
            found = answers[-1] if questions else []
            values = found if isinstance(found, list) else []
        finally:
            _answer(questions, values)


def _answer(questions: dict[str, asyncio.Future[bytes | None]], values: list[object]) -> None:
    """Answer every question; what was not found, or not asked in time, is nothing."""
    padded = values + [None] * (len(questions) - len(values))
    for question, value in zip(questions.values(), padded, strict=True):
        if not question.done():
            question.set_result(value if isinstance(value, bytes) else None)


def _unpack(value: bytes, batch: int) -> Outputs | None:
    """Read what was kept; anything of another size is not ours and counts as nothing."""
    labels, probabilities = value[: 8 * batch], value[8 * batch :]
    if len(labels) != 8 * batch or not probabilities or len(probabilities) % (4 * batch):
        return None
    return Outputs(probabilities=probabilities, labels=labels)


def _connect(cache_url: str) -> Client:
    """Import Redis off the event loop: the import takes longer than all of our own start."""
    redis = importlib.import_module("redis.asyncio")
    backoff = importlib.import_module("redis.backoff")
    retry = importlib.import_module("redis.asyncio.retry")
    client: Client = redis.from_url(
        cache_url,
        protocol=2,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=retry.Retry(backoff.NoBackoff(), 0),
        lib_name=None,
        lib_version=None,
    )
    return client
