"""The Open Inference Protocol: what each call answers, and which code each refusal has."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from open_inference.grpc import protocol

from service_under_test.admission import Admission, Place
from service_under_test.inference import Inference
from service_under_test.metrics import Metrics
from service_under_test.refusal import Code, Refusal
from service_under_test.state import Readiness
from service_under_test.wire.calls import Answer, Call, Routes, Unary

SERVICE = "inference.GRPCInferenceService"
SERVER_NAME = "service_under_test"
SERVER_VERSION = "1"
FULL = Refusal(
    Code.RESOURCE_EXHAUSTED,
    "queue: expected a free place, saw as many requests in flight as can be answered in time; "
    "send more slowly or to another replica",
)

AnyRequest = TypeVar("AnyRequest", bound=Message)


class Servicer:
    """Answers the six calls; all inference is handed on."""

    def __init__(
        self, readiness: Readiness, admission: Admission, metrics: Metrics, inference: Inference
    ) -> None:
        self._readiness = readiness
        self._admission = admission
        self._metrics = metrics
        self._inference = inference

    def routes(self) -> Routes:
        """Bind the six calls to their names."""
        calls: dict[str, Unary] = {
            "ServerLive": _answer(protocol.ServerLiveRequest, self.server_live),
            "ServerReady": _answer(protocol.ServerReadyRequest, self.server_ready),
            "ModelReady": _answer(protocol.ModelReadyRequest, self.model_ready),
            "ServerMetadata": _answer(protocol.ServerMetadataRequest, self.server_metadata),
            "ModelMetadata": _answer(protocol.ModelMetadataRequest, self.model_metadata),
            "ModelInfer": Unary(self.model_infer, self._turn_away),
        }
        return {f"/{SERVICE}/{name}".encode(): method for name, method in calls.items()}

    def server_live(self, _: protocol.ServerLiveRequest) -> protocol.ServerLiveResponse:
        """Live is whoever answers; it depends on nothing."""
        return protocol.ServerLiveResponse(live=True)

    def server_ready(self, _: protocol.ServerReadyRequest) -> protocol.ServerReadyResponse:
        """Ready is what the one state says."""
        return protocol.ServerReadyResponse(ready=self._readiness.ready)

    def model_ready(self, request: protocol.ModelReadyRequest) -> protocol.ModelReadyResponse:
        """One model is declared, so it is ready when the server is; others never are."""
        known = self._inference.names(request.name, request.version)
        return protocol.ModelReadyResponse(ready=known and self._readiness.ready)

    def server_metadata(self, _: protocol.ServerMetadataRequest) -> protocol.ServerMetadataResponse:
        """Name the server; it has no extensions."""
        return protocol.ServerMetadataResponse(name=SERVER_NAME, version=SERVER_VERSION)

    def model_metadata(
        self, request: protocol.ModelMetadataRequest
    ) -> protocol.ModelMetadataResponse:
        """Describe the model."""
        return self._inference.describe(request.name, request.version)

    def model_infer(self, received: bytes, call: Call) -> Answer:
        """Admit before anything is parsed, infer, and count how it ended.

        A refusal leaves before any work is queued: under overload nothing else is done so often.
        """
        started_s = time.perf_counter()
        place = self._admission.enter()
        if place is None:  # others came first while this one's body was on its way
            self._metrics.count_refusal()
            raise Refusal(FULL.code, FULL.message)

        def leave(code: Code) -> None:
            place.leave()
            self._metrics.count_request(code.name, time.perf_counter() - started_s)

        call.on_end = leave
        return self._infer(received, call.deadline_s, place)

    def _turn_away(self) -> Refusal | None:
        if not self._admission.is_full():
            return None
        self._metrics.count_refusal()
        return FULL

    async def _infer(self, received: bytes, deadline_s: float | None, place: Place) -> bytes:
        request = _parse(protocol.ModelInferRequest, received)
        response = await self._inference.infer(request, deadline_s, place)
        return response.SerializeToString()


def _parse(kind: type[AnyRequest], received: bytes) -> AnyRequest:
    try:
        return kind.FromString(received)
    except DecodeError:
        raise Refusal(
            Code.INVALID_ARGUMENT,
            f"message: expected {kind.DESCRIPTOR.full_name}, saw bytes that are none",
        ) from None


def _answer(kind: type[AnyRequest], method: Callable[[AnyRequest], Message]) -> Unary:
    """Make a method of one that answers at once, so that no load holds up a probe."""
    return Unary(lambda received, _: method(_parse(kind, received)).SerializeToString())
