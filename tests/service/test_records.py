"""An answer is a durable record first: one for each request id, wherever it is asked."""

import asyncio
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import asyncpg
import grpc
import pytest
from open_inference.grpc import protocol

from harness.platforms.ownership import Ownership
from tests.service.backing import Postgres
from tests.service.conftest import Golden, running
from tests.service.running import Replica, infer_request, refusal

RECORDS = "SELECT replica, executions, label FROM predictions WHERE request_id = $1"


@pytest.fixture
def mortal_postgres(owner: Ownership) -> Iterator[Postgres]:
    """Run a PostgreSQL that a test may stop."""
    yield from running(Postgres(owner))


def test_the_same_id_twice_is_one_record(
    shared_replica: Replica, postgres: Postgres, golden: Golden
) -> None:
    """A request that is sent again gets the stored answer and leaves one record."""
    request_id = uuid4().hex
    first = shared_replica.infer(golden.images[:3], request_id)
    second = shared_replica.infer(golden.images[:3], request_id)
    assert first.raw_output_contents == second.raw_output_contents
    assert postgres.query(RECORDS, request_id) == [
        {"replica": "shared", "executions": 2, "label": golden.labels[0]}
    ]


def test_the_same_id_at_once_on_two_replicas_is_one_record(
    start: Callable[..., Replica], shared_replica: Replica, postgres: Postgres, golden: Golden
) -> None:
    """Ids that race on two replicas, in any order, are one record each and one answer each."""
    other = start(REPLICA_NAME="other").ready()
    request_ids = [uuid4().hex for _ in range(10)]
    calls = [
        (request_id, replica.stub.ModelInfer.future(infer_request(golden.images[:1], request_id)))
        for _ in range(2)
        for replica, order in ((shared_replica, 1), (other, -1))
        for request_id in request_ids[::order]
    ]
    answers: dict[str, set[bytes]] = {}
    answerers = set()
    for request_id, call in calls:
        answer = call.result(timeout=10)
        answers.setdefault(request_id, set()).add(b"".join(answer.raw_output_contents))
        answerers.add(answer.parameters["replica"].string_param)
    assert answerers == {"shared", "other"}
    assert all(len(different) == 1 for different in answers.values())
    for request_id in request_ids:
        (record,) = postgres.query(RECORDS, request_id)
        assert record["executions"] == 4


def test_an_id_stands_for_one_input(shared_replica: Replica, golden: Golden) -> None:
    """Another image under a used id is refused with INVALID_ARGUMENT; the record stands."""
    request_id = uuid4().hex
    first = shared_replica.infer(golden.images[:1], request_id)
    other = infer_request(golden.images[1:2], request_id)
    code, message = refusal(shared_replica.stub.ModelInfer.future(other))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "send a new id" in message
    again = shared_replica.infer(golden.images[:1], request_id)
    assert again.raw_output_contents == first.raw_output_contents


def test_nothing_is_acknowledged_before_it_is_recorded(
    start: Callable[..., Replica], mortal_postgres: Postgres
) -> None:
    """While the table is locked no answer is given, and the refusal comes within 2 s."""
    replica = start(DATABASE_URL=mortal_postgres.url).ready()
    replica.infer(request_id="before")

    async def hold_the_table() -> tuple[grpc.StatusCode, float]:
        connection = await asyncpg.connect(mortal_postgres.url)
        async with connection.transaction():
            await connection.execute("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE")
            started_s = time.monotonic()
            code, _ = refusal(replica.stub.ModelInfer.future(infer_request(), timeout=5))
        await connection.close()
        return code, time.monotonic() - started_s

    code, took_s = asyncio.run(hold_the_table())
    assert code is grpc.StatusCode.UNAVAILABLE
    assert took_s < 2


def test_acknowledged_records_outlive_the_replica(
    start: Callable[..., Replica], postgres: Postgres
) -> None:
    """What was acknowledged is in the database, although the replica was killed right after."""
    replica = start().ready()
    acknowledged = [replica.infer().id for _ in range(20)]
    replica.process.kill()
    found = postgres.query(
        "SELECT count(*) FROM predictions WHERE request_id = ANY($1)", acknowledged
    )
    assert found == [{"count": 20}]


def test_without_the_database_nothing_is_acknowledged_and_all_heals(
    start: Callable[..., Replica], mortal_postgres: Postgres
) -> None:
    """While PostgreSQL is away calls get UNAVAILABLE at once; when it is back they are served."""
    replica = start(DATABASE_URL=mortal_postgres.url).ready()
    replica.infer()
    mortal_postgres.stop()
    replica.logged("database_away")
    started_s = time.monotonic()
    code, _ = refusal(replica.stub.ModelInfer.future(infer_request()))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - started_s < 0.5
    mortal_postgres.start()
    replica.logged("database_connected", times=2)
    replica.infer()


def test_a_replica_that_never_reached_its_database_is_not_ready(
    start: Callable[..., Replica], mortal_postgres: Postgres
) -> None:
    """It could acknowledge nothing, so it takes no traffic until the database is there."""
    mortal_postgres.stop()
    replica = start(DATABASE_URL=mortal_postgres.url)
    replica.logged("database_away")
    assert replica.stub.ServerLive(protocol.ServerLiveRequest()).live
    assert not replica.stub.ServerReady(protocol.ServerReadyRequest()).ready

    mortal_postgres.start()

    replica.ready().infer()
