"""grpc.health.v1, read from the one readiness state.

The ready-made servicer of grpcio-health-checking is not used: it keeps a second copy of the state,
one slow watcher holds up the news for all others, and an open Watch holds up the whole drain.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from service_under_test.state import Phase, Readiness

SERVICE = "grpc.health.v1.Health"
CHECKED_SERVICES = ("", "inference.GRPCInferenceService")

Context = grpc.aio.ServicerContext[Message, Message]


class Health:
    """Check answers now; Watch answers now and at every change."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def check(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """Tell whether traffic may be sent here."""
        if request.service not in CHECKED_SERVICES:
            known = " or ".join(repr(service) for service in CHECKED_SERVICES)
            await context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"service: expected {known}, saw {request.service[:100]!r}",
            )
        return self._answer(request.service)

    async def watch(
        self, request: health_pb2.HealthCheckRequest, _: Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Tell it now and whenever it changes; end when the server stops."""
        last = None
        while True:
            change = self._readiness.next_change()
            answer = self._answer(request.service)
            if answer != last:
                yield answer
                last = answer
            if self._readiness.phase is Phase.STOPPING:
                return
            await change.wait()

    def _answer(self, service: str) -> health_pb2.HealthCheckResponse:
        statuses = health_pb2.HealthCheckResponse
        if service not in CHECKED_SERVICES:
            return statuses(status=statuses.SERVICE_UNKNOWN)
        return statuses(status=statuses.SERVING if self._readiness.ready else statuses.NOT_SERVING)


def make_handler(health: Health) -> grpc.GenericRpcHandler[Message, Message]:
    """Bind the two calls to their names."""
    read = health_pb2.HealthCheckRequest.FromString
    write = health_pb2.HealthCheckResponse.SerializeToString
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "Check": grpc.unary_unary_rpc_method_handler(health.check, read, write),
            "Watch": grpc.unary_stream_rpc_method_handler(health.watch, read, write),
        },
    )
