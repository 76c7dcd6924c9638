"""The health surfaces of one replica, and one answer of each, asked side by side.

The Open Inference Protocol's three, grpc.health.v1, and the HTTP pair where the service has one.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc
from open_inference.grpc.protocol import ModelReadyRequest, ServerLiveRequest, ServerReadyRequest
from open_inference.grpc.service import GRPCInferenceServiceStub

from harness.liveness import UNOFFERED

LIVENESS = ("ServerLive", "livez")
READINESS = ("ServerReady", "ModelReady", "health", "readyz")

_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 1000),  # how long one attempt to connect may take
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Way:
    """Where to ask: host:port for gRPC, and for HTTP where the service has that port."""

    grpc_address: str
    http_address: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one surface said: true, false, or None where it gave no answer."""

    answer: bool | None
    code: str
    latency_ms: float


def channel(address: str) -> grpc.Channel:
    """A channel of its own that notices within 0.1 s that somebody listens now."""
    return grpc.insecure_channel(address, options=_CHANNEL_OPTIONS)


def readiness(answers: Mapping[str, Answer]) -> bool | None:
    """What decides about routing calls there: grpc.health.v1, or ServerReady where it is missing.

    None where the surface that decides gave no answer.
    """
    health = answers["health"]
    return (answers["ServerReady"] if health.code == UNOFFERED else health).answer


class _Asked(Protocol):
    """A call under way."""

    def result(self) -> object: ...


class Surfaces:
    """Asks one replica, until closed."""

    def __init__(self, way: Way, model: str, timeout_s: float) -> None:
        self._channel = channel(way.grpc_address)
        self._inference = GRPCInferenceServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)
        self._model = model
        self._timeout_s = timeout_s
        self._http = (
            httpx.Client(
                base_url=f"http://{way.http_address}",
                timeout=timeout_s,
                trust_env=False,
                verify=False,  # noqa: S501  # plain HTTP: certificates would be read for nothing
            )
            if way.http_address
            else None
        )
        # Beside gRPC, not after it: a replica that hangs must not make a round last three times
        # the time-out, and its ejection as much longer.
        self._beside = ThreadPoolExecutor(2, thread_name_prefix="probe-http")

    def ask(self, *, http: bool) -> dict[str, Answer]:
        """One answer of each surface; the HTTP pair only where it is asked for."""
        began_s = time.monotonic()
        oip, health, within_s = self._inference, self._health, self._timeout_s
        asked: dict[str, _Asked] = {
            "ServerLive": oip.ServerLive.future(ServerLiveRequest(), timeout=within_s),
            "ServerReady": oip.ServerReady.future(ServerReadyRequest(), timeout=within_s),
            "ModelReady": oip.ModelReady.future(
                ModelReadyRequest(name=self._model), timeout=within_s
            ),
            "health": health.Check.future(health_pb2.HealthCheckRequest(), timeout=within_s),
        }
        client = self._http if http else None
        pages = {
            surface: self._beside.submit(_http_answer, client, f"/{surface}")
            for surface in ("livez", "readyz")
            if client is not None
        }
        answers = {surface: _grpc_answer(call, began_s) for surface, call in asked.items()}
        return answers | {surface: page.result() for surface, page in pages.items()}

    def close(self) -> None:
        """Hang up; whatever is still asked gets no answer."""
        self._channel.close()
        self._beside.shutdown(wait=False)
        if self._http is not None:
            self._http.close()


def _grpc_answer(call: _Asked, began_s: float) -> Answer:
    try:
        message = call.result()
    except grpc.RpcError as error:
        return Answer(None, error.code().name, (time.monotonic() - began_s) * 1000)
    took_ms = (time.monotonic() - began_s) * 1000
    if isinstance(message, health_pb2.HealthCheckResponse):
        return Answer(message.status == health_pb2.HealthCheckResponse.SERVING, "OK", took_ms)
    said = getattr(message, "live", False) or getattr(message, "ready", False)
    return Answer(bool(said), "OK", took_ms)


def _http_answer(client: httpx.Client, path: str) -> Answer:
    began_s = time.monotonic()
    try:
        response = client.get(path)
    except httpx.HTTPError as error:
        return Answer(None, type(error).__name__, (time.monotonic() - began_s) * 1000)
    return Answer(
        response.status_code == httpx.codes.OK,
        str(response.status_code),
        (time.monotonic() - began_s) * 1000,
    )
