"""The cache saves work while it is there, and costs no request when it is not."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from harness.platforms.ownership import Ownership
from tests.service.backing import Postgres, Redis
from tests.service.conftest import Golden, running
from tests.service.running import Replica


@pytest.fixture
def mortal_redis(owner: Ownership) -> Iterator[Redis]:
    """Run a Redis that a test may stop."""
    yield from running(Redis(owner))


def test_a_known_image_is_answered_without_the_model(
    start: Callable[..., Replica], redis: Redis, postgres: Postgres, golden: Golden
) -> None:
    """A second replica answers from the cache, runs nothing, and records all the same."""
    url = f"{redis.url}/3"
    first = start(CACHE_URL=url).ready()
    second = start(CACHE_URL=url, REPLICA_NAME="replica-2").ready()
    for replica in (first, second):
        replica.logged("cache_connected")
    answer = first.infer(golden.images[:2])
    give_up_s = time.monotonic() + 5
    while True:  # the answer does not wait until it is kept
        request_id = uuid4().hex
        hit = second.infer(golden.images[:2], request_id)
        if hit.parameters["cached"].bool_param:
            break
        assert time.monotonic() < give_up_s, "the second replica never found what the first kept"
    assert hit.raw_output_contents == answer.raw_output_contents
    recorded = postgres.query("SELECT * FROM predictions WHERE request_id = $1", request_id)
    assert [(row["replica"], row["executions"]) for row in recorded] == [("replica-2", 0)]


@pytest.mark.parametrize("loss", ["freeze", "stop"])
def test_a_lost_cache_costs_no_request(
    start: Callable[..., Replica], mortal_redis: Redis, golden: Golden, loss: str
) -> None:
    """A cache that dies or falls silent fails no call and slows none by 300 ms."""
    replica = start(CACHE_URL=mortal_redis.url).ready()
    replica.logged("cache_connected")
    replica.infer(golden.images[:1])
    getattr(mortal_redis, loss)()
    for number in range(20):
        started_s = time.monotonic()
        replica.infer(golden.images[number : number + 1])
        assert time.monotonic() - started_s < 0.3
    replica.logged("cache_lost")
    {"freeze": mortal_redis.thaw, "stop": mortal_redis.start}[loss]()
    replica.logged("cache_connected", times=2)
    replica.infer(golden.images[:1])


def test_a_replica_starts_without_its_cache(start: Callable[..., Replica]) -> None:
    """A cache that was never there delays nothing."""
    replica = start(CACHE_URL="redis://127.0.0.1:1").ready()
    replica.infer()
