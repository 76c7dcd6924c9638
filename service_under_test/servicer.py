"""The Open Inference Protocol: what each call answers, and which code each refusal has."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Never, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from open_inference.grpc import protocol

from service_under_test.admission import Admission
from service_under_test.inference import Inference
from service_under_test.metrics import Metrics
from service_under_test.refusal import Refusal
from service_under_test.state import Readiness

SERVICE = "inference.GRPCInferenceService"
SERVER_NAME = "service_under_test"
SERVER_VERSION = "1"

AnyRequest = TypeVar("AnyRequest", bound=Message)
AnyResponse = TypeVar("AnyResponse", bound=Message)
Context = grpc.aio.ServicerContext[Message, Message]


class Servicer:
    """Answers the six calls; all inference is handed on."""

    def __init__(
        self, readiness: Readiness, admission: Admission, metrics: Metrics, inference: Inference
    ) -> None:
        self._readiness = readiness
        self._admission = admission
        self._metrics = metrics
        self._inference = inference

    async def server_live(
        self, _: protocol.ServerLiveRequest, __: Context
    ) -> protocol.ServerLiveResponse:
        """Live is whoever answers; it depends on nothing."""
        return protocol.ServerLiveResponse(live=True)

    async def server_ready(
        self, _: protocol.ServerReadyRequest, __: Context
    ) -> protocol.ServerReadyResponse:
        """Ready is what the one state says."""
        return protocol.ServerReadyResponse(ready=self._readiness.ready)

    async def model_ready(
        self, request: protocol.ModelReadyRequest, _: Context
    ) -> protocol.ModelReadyResponse:
        """One model is declared, so it is ready when the server is; others never are."""
        known = self._inference.names(request.name, request.version)
        return protocol.ModelReadyResponse(ready=known and self._readiness.ready)

    async def server_metadata(
        self, _: protocol.ServerMetadataRequest, __: Context
    ) -> protocol.ServerMetadataResponse:
        """Name the server; it has no extensions."""
        return protocol.ServerMetadataResponse(name=SERVER_NAME, version=SERVER_VERSION)

    async def model_metadata(
        self, request: protocol.ModelMetadataRequest, _: Context
    ) -> protocol.ModelMetadataResponse:
        """Describe the model."""
        return self._inference.describe(request.name, request.version)

    async def model_infer(
        self, request: protocol.ModelInferRequest, context: Context
    ) -> protocol.ModelInferResponse:
        """Admit, infer and count; a refusal leaves as the code that it carries."""
        started_s = time.perf_counter()
        code = "CANCELLED"  # what it is when the caller goes away and the task is thrown out
        try:
            response = await self._infer_if_admitted(request, context)
        except Refusal as refusal:
            code = refusal.code.name
            raise
        else:
            code = "OK"
            return response
        finally:
            self._metrics.count_request(code, time.perf_counter() - started_s)

    async def _infer_if_admitted(
        self, request: protocol.ModelInferRequest, context: Context
    ) -> protocol.ModelInferResponse:
        if not self._admission.enter():
            raise Refusal(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"queue: expected fewer than {self._admission.limit} requests in flight, "
                "saw as many; send more slowly or to another replica",
            )
        try:
            return await self._inference.infer(request, context.time_remaining())
        finally:
            self._admission.leave()


def _parse(kind: type[AnyRequest]) -> Callable[[bytes], AnyRequest | DecodeError]:
    """Parse without raising: gRPC would call a client's garbage an INTERNAL error of ours."""

    def parse(received: bytes) -> AnyRequest | DecodeError:
        try:
            return kind.FromString(received)
        except DecodeError as error:
            return error

    return parse


def _answer(
    method: Callable[[AnyRequest, Context], Awaitable[AnyResponse]], kind: type[AnyRequest]
) -> grpc.RpcMethodHandler[AnyRequest, AnyResponse]:
    """Make a handler that turns refusals, and garbage, into codes."""

    async def handle(request: AnyRequest | DecodeError, context: Context) -> AnyResponse:
        if isinstance(request, DecodeError):
            await _abort(
                context,
                Refusal(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"message: expected {kind.DESCRIPTOR.full_name}, saw bytes that are none",
                ),
            )
        try:
            return await method(request, context)
        except Refusal as refusal:
            await _abort(context, refusal)

    return grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=_parse(kind),
        response_serializer=lambda response: response.SerializeToString(),
    )


async def _abort(context: Context, refusal: Refusal) -> Never:
    await context.abort(refusal.code, str(refusal))
    raise AssertionError  # abort always raises; the type checker does not know


def make_handler(servicer: Servicer) -> grpc.GenericRpcHandler[Message, Message]:
    """Bind the six calls to their names."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "ServerLive": _answer(servicer.server_live, protocol.ServerLiveRequest),
            "ServerReady": _answer(servicer.server_ready, protocol.ServerReadyRequest),
            "ModelReady": _answer(servicer.model_ready, protocol.ModelReadyRequest),
            "ServerMetadata": _answer(servicer.server_metadata, protocol.ServerMetadataRequest),
            "ModelMetadata": _answer(servicer.model_metadata, protocol.ModelMetadataRequest),
            "ModelInfer": _answer(servicer.model_infer, protocol.ModelInferRequest),
        },
    )
