"""Whatever a client says gets a typed answer, quickly, and harms nobody."""

import asyncio
import signal
import time
from collections.abc import Callable

import asyncpg
import grpc
import numpy as np
import pytest
from open_inference.grpc import protocol

from tests.service.backing import Postgres
from tests.service.running import Replica, infer_request, refusal

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

Request = protocol.ModelInferRequest


def typed(request: Request, values: list[int]) -> None:
    """Give the image as typed contents."""
    del request.raw_input_contents[:]
    request.inputs[0].contents.uint_contents.extend(values)


FAULTS: dict[str, tuple[grpc.StatusCode, Callable[[Request], object]]] = {
    "unknown model": (NOT_FOUND, lambda r: setattr(r, "model_name", "nope")),
    "no model": (NOT_FOUND, lambda r: setattr(r, "model_name", "")),
    "unknown version": (NOT_FOUND, lambda r: setattr(r, "model_version", "99")),
    "no input": (INVALID, lambda r: r.inputs.pop()),
    "two inputs": (INVALID, lambda r: r.inputs.add(name="image")),
    "unknown input": (INVALID, lambda r: setattr(r.inputs[0], "name", "picture")),
    "another dtype": (INVALID, lambda r: setattr(r.inputs[0], "datatype", "FP32")),
    "no shape": (INVALID, lambda r: r.inputs[0].ClearField("shape")),
    "another shape": (INVALID, lambda r: r.inputs[0].shape.__setitem__(2, 32)),
    "empty batch": (INVALID, lambda r: r.inputs[0].shape.__setitem__(0, 0)),
    "negative batch": (INVALID, lambda r: r.inputs[0].shape.__setitem__(0, -1)),
    "batch of 65": (EXHAUSTED, lambda r: r.inputs[0].shape.__setitem__(0, 65)),
    "endless batch": (EXHAUSTED, lambda r: r.inputs[0].shape.__setitem__(0, 2**62)),
    "too few bytes": (INVALID, lambda r: r.inputs[0].shape.__setitem__(0, 2)),
    "no contents": (INVALID, lambda r: r.raw_input_contents.pop()),
    "two contents": (INVALID, lambda r: r.raw_input_contents.append(b"")),
    "raw and typed": (INVALID, lambda r: r.inputs[0].contents.uint_contents.append(1)),
    "values over 255": (INVALID, lambda r: typed(r, [256] * 4096)),
    "too few values": (INVALID, lambda r: typed(r, [1] * 4095)),
    "unknown output": (INVALID, lambda r: r.outputs.add(name="logits")),
    "an output twice": (INVALID, lambda r: [r.outputs.add(name="label") for _ in range(2)]),
    "an endless id": (INVALID, lambda r: setattr(r, "id", "x" * 257)),
    "an id with NUL": (INVALID, lambda r: setattr(r, "id", "a\0b")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_client_fault_is_blamed_on_the_client(shared_replica: Replica, fault: str) -> None:
    """A wrong request gets its code and a message that says what was expected and seen."""
    expected, spoil = FAULTS[fault]
    request = infer_request()
    spoil(request)
    code, message = refusal(shared_replica.stub.ModelInfer.future(request))
    assert code is expected
    assert "expected" in message
    assert "saw" in message
    assert shared_replica.stub.ServerReady(protocol.ServerReadyRequest()).ready


def test_garbage_is_an_invalid_argument(shared_replica: Replica) -> None:
    """Bytes that are no message are not called an error of the server."""
    call = shared_replica.channel.unary_unary(
        "/inference.GRPCInferenceService/ModelInfer",
        request_serializer=bytes,
        response_deserializer=protocol.ModelInferResponse.FromString,
    )
    code, message = refusal(call.future(b"\xff\xff\xff", timeout=5))
    assert code is INVALID
    assert "expected inference.ModelInferRequest" in message


def test_a_message_of_five_megabytes_is_too_large(shared_replica: Replica) -> None:
    """A message over the limit is refused by its size, and the next call is served."""
    call = shared_replica.stub.ModelInfer.future(infer_request(np.zeros((1300, 64, 64), np.uint8)))
    assert refusal(call)[0] is EXHAUSTED
    shared_replica.infer()


def test_unknown_models_are_not_ready(shared_replica: Replica) -> None:
    """ModelReady is true for the served model and false for any other."""
    for name, version, ready in (
        ("defects", "", True),
        ("defects", "1", True),
        ("defects", "99", False),
        ("nope", "", False),
    ):
        request = protocol.ModelReadyRequest(name=name, version=version)
        assert shared_replica.stub.ModelReady(request).ready is ready


def test_a_full_queue_refuses_at_once(start: Callable[..., Replica], postgres: Postgres) -> None:
    """With the queue full, the next call gets RESOURCE_EXHAUSTED within 500 ms."""
    replica = start(QUEUE_LIMIT="4").ready()
    replica.infer()

    async def fill_the_queue() -> tuple[grpc.StatusCode, float]:
        connection = await asyncpg.connect(postgres.url)
        async with connection.transaction():
            await connection.execute("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE")
            admitted = [replica.stub.ModelInfer.future(infer_request()) for _ in range(4)]
            started_s = time.monotonic()
            code, _ = refusal(replica.stub.ModelInfer.future(infer_request()))
            took_s = time.monotonic() - started_s
            assert not any(call.done() for call in admitted)
        for call in admitted:
            call.result(timeout=5)
        await connection.close()
        return code, took_s

    code, took_s = asyncio.run(fill_the_queue())
    assert code is EXHAUSTED
    assert took_s < 0.5  # the queue itself stands still for a whole second


def test_work_that_nobody_waits_for_is_not_begun(
    start: Callable[..., Replica], postgres: Postgres
) -> None:
    """Calls whose deadline passed while the replica was frozen are neither run nor recorded."""
    replica = start().ready()
    replica.infer()
    replica.process.send_signal(signal.SIGSTOP)
    ids = [f"late-{replica.port}-{number}" for number in range(5)]
    late = [replica.stub.ModelInfer.future(infer_request(request_id=i), timeout=0.2) for i in ids]
    for call in late:
        assert refusal(call)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    replica.process.send_signal(signal.SIGCONT)
    replica.infer()
    late_records = postgres.query("SELECT 1 FROM predictions WHERE request_id = ANY($1)", ids)
    assert late_records == []
    metrics = replica.get("/metrics")[1]
    assert "model_executions_total 2.0" in metrics, metrics
