"""Live at once, ready when warm, drained when told, gone with 0."""

import threading
import time
from collections.abc import Callable

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from open_inference.grpc import protocol

from tests.service.backing import Postgres, Server
from tests.service.running import Replica, infer_request

Status = health_pb2.HealthCheckResponse
Check = health_pb2.HealthCheckRequest


def test_who_says_ready_can_infer(start: Callable[..., Replica]) -> None:
    """From the first moment that any surface says ready, inference is served."""
    replica = start()
    replica.logged("listening")
    answers: list[bool] = []
    while not answers or not answers[-1]:
        answers.append(replica.stub.ServerReady(protocol.ServerReadyRequest()).ready)
        if not answers[-1]:
            assert replica.stub.ServerLive(protocol.ServerLiveRequest()).live
    replica.infer()


def test_all_surfaces_agree(shared_replica: Replica) -> None:
    """ServerReady, ModelReady, health and /readyz tell one and the same state."""
    shared_replica.ready()
    assert shared_replica.stub.ServerReady(protocol.ServerReadyRequest()).ready
    assert shared_replica.stub.ModelReady(protocol.ModelReadyRequest(name="defects")).ready
    for service in ("", "inference.GRPCInferenceService"):
        assert shared_replica.health.Check(Check(service=service)).status == Status.SERVING
    assert shared_replica.get("/readyz") == (200, "ready\n")
    assert shared_replica.get("/livez")[0] == 200
    assert shared_replica.get("/nowhere")[0] == 404


def test_health_does_not_know_other_services(shared_replica: Replica) -> None:
    """Check of an unknown service is NOT_FOUND; Watch of one says SERVICE_UNKNOWN."""
    with pytest.raises(grpc.RpcError) as refused:
        shared_replica.health.Check(Check(service="nope"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    watch = shared_replica.health.Watch(Check(service="nope"))
    assert next(watch).status == Status.SERVICE_UNKNOWN
    watch.cancel()


def test_reflection_lists_the_services(shared_replica: Replica) -> None:
    """Reflection names inference and health."""
    stub = reflection_pb2_grpc.ServerReflectionStub(shared_replica.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([request]))
    names = {service.name for service in answer.list_services_response.service}
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names


def test_metrics_count_what_happened(start: Callable[..., Replica]) -> None:
    """The metrics tell calls by code, executions and readiness."""
    replica = start().ready()
    replica.infer()
    status, text = replica.get("/metrics")
    assert status == 200
    assert 'inference_requests_total{code="OK"} 1.0' in text
    assert "model_executions_total 1.0" in text
    assert "replica_ready 1.0" in text


def test_a_drain_loses_nothing(start: Callable[..., Replica], postgres: Postgres) -> None:
    """SIGTERM under load: watchers know at once, all calls are served and recorded, exit 0."""
    replica = start().ready()
    watch = replica.health.Watch(Check(service=""))
    assert next(watch).status == Status.SERVING
    calls: list[grpc.Future[protocol.ModelInferResponse]] = []
    enough = threading.Event()

    def offer() -> None:
        while not enough.wait(0.005):
            calls.append(replica.stub.ModelInfer.future(infer_request(), timeout=5))

    load = threading.Thread(target=offer)
    load.start()
    while len(calls) < 20:
        enough.wait(0.01)
    told_s = time.monotonic()
    replica.terminate()
    assert next(watch).status == Status.NOT_SERVING
    assert time.monotonic() - told_s < 1
    offered_when_told = len(calls)
    while len(calls) < offered_when_told + 100:  # the balancer has not heard yet
        enough.wait(0.01)
    enough.set()
    load.join()
    ids = [call.result(timeout=5).id for call in calls]
    assert replica.exit_code() == 0
    assert replica.logged("stopped")["unfinished"] == 0
    found = postgres.query("SELECT count(*) FROM predictions WHERE request_id = ANY($1)", ids)
    assert found == [{"count": len(ids)}]


def test_told_to_stop_while_loading_it_leaves_at_once(
    start: Callable[..., Replica], s3_settings: dict[str, str], object_store: Server
) -> None:
    """SIGTERM while the model is still on its way: exit code 0 within 1 s."""
    object_store.freeze()
    try:
        replica = start(**s3_settings)
        replica.logged("listening")
        replica.terminate()
        assert replica.exit_code(within_s=1) == 0
    finally:
        object_store.thaw()


def test_a_bad_environment_is_explained(start: Callable[..., Replica]) -> None:
    """Every bad setting gets a line with expected, seen and what to do; no secret is repeated."""
    replica = start(MODEL_DIGEST="xyz", DATABASE_URL="mysql://me:secret@there", DRAIN_S="soon")
    assert replica.exit_code() == 2
    assert replica.logged("bad_configuration", times=3)["setting"] == "DRAIN_S"
    lines = replica.lines("bad_configuration")
    assert {line["setting"] for line in lines} == {"MODEL_DIGEST", "DATABASE_URL", "DRAIN_S"}
    assert "secret" not in str(lines)
