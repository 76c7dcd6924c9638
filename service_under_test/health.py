"""grpc.health.v1, read from the one readiness state.

The ready-made servicer of grpcio-health-checking is not used: it keeps a second copy of the state,
one slow watcher holds up the news for all others, and an open Watch holds up the whole drain.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from service_under_test.refusal import Code, Refusal
from service_under_test.state import Phase, Readiness
from service_under_test.wire.calls import Call, Routes, Streaming, Unary

SERVICE = "grpc.health.v1.Health"
CHECKED_SERVICES = ("", "inference.GRPCInferenceService")


class Health:
    """Check answers now; Watch answers now and at every change."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def routes(self) -> Routes:
        """Bind the two calls to their names."""
        return {
            f"/{SERVICE}/Check".encode(): Unary(self.check),
            f"/{SERVICE}/Watch".encode(): Streaming(self.watch),
        }

    def check(self, received: bytes, _: Call) -> bytes:
        """Tell whether traffic may be sent here."""
        service = _read_service(received)
        if service not in CHECKED_SERVICES:
            known = " or ".join(repr(name) for name in CHECKED_SERVICES)
            raise Refusal(Code.NOT_FOUND, f"service: expected {known}, saw {service[:100]!r}")
        answer: bytes = self._answer(service).SerializeToString()
        return answer

    async def watch(self, incoming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Tell it now and whenever it changes; end when the server stops."""
        service = _read_service(await anext(incoming, b""))
        last = None
        while True:
            change = self._readiness.next_change()
            answer = self._answer(service)
            if answer != last:
                yield answer.SerializeToString()
                last = answer
            if self._readiness.phase is Phase.STOPPING:
                return
            await change.wait()

    def _answer(self, service: str) -> health_pb2.HealthCheckResponse:
        statuses = health_pb2.HealthCheckResponse
        if service not in CHECKED_SERVICES:
            return statuses(status=statuses.SERVICE_UNKNOWN)
        return statuses(status=statuses.SERVING if self._readiness.ready else statuses.NOT_SERVING)


def _read_service(received: bytes) -> str:
    try:
        service: str = health_pb2.HealthCheckRequest.FromString(received).service
    except DecodeError:
        raise Refusal(
            Code.INVALID_ARGUMENT,
            "message: expected grpc.health.v1.HealthCheckRequest, saw bytes that are none",
        ) from None
    return service
