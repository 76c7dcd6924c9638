"""Asks one replica for its health, as a kubelet would, and notes every answer in the history.

Each round asks all surfaces at once: the Open Inference Protocol's three, grpc.health.v1, and the
HTTP pair where the service has one. What decides about routing is grpc.health.v1, or ServerReady
where the service does not offer it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc
from open_inference.grpc.protocol import ModelReadyRequest, ServerLiveRequest, ServerReadyRequest
from open_inference.grpc.service import GRPCInferenceServiceStub

from harness.history import Value
from harness.recorder import Recorder
from harness.settings import Probes

_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)

Told = Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one surface said: true, false, or None where it gave no answer."""

    answer: bool | None
    code: str
    latency_ms: float


def channel(address: str) -> grpc.Channel:
    """A channel of its own that notices within 0.1 s that somebody listens now."""
    return grpc.insecure_channel(address, options=_CHANNEL_OPTIONS)


class Prober(threading.Thread):
    """Probes one replica until told to stop; says when readiness changes."""

    def __init__(
        self,
        replica: str,
        grpc_address: str,
        http_address: str | None,
        model: str,
        settings: Probes,
        recorder: Recorder,
        told: Told,
    ) -> None:
        super().__init__(name=f"probe-{replica}", daemon=True)
        self._replica = replica
        self._settings = settings
        self._recorder = recorder
        self._told = told
        self._ended = threading.Event()
        self._ready = False
        self._failures = 0
        self._surfaces = _Surfaces(grpc_address, http_address, model, settings.timeout_s)

    def stop(self) -> None:
        """Ask nothing more."""
        self._ended.set()

    def run(self) -> None:
        """Probe in rounds: often until the replica is ready, then at the platform's period."""
        number = 0
        next_s = time.monotonic()
        try:
            while not self._ended.is_set():
                self._round(number)
                number += 1
                period_s = (
                    self._settings.period_s if self._ready else self._settings.startup_period_s
                )
                next_s = max(next_s + period_s, time.monotonic())
                self._ended.wait(next_s - time.monotonic())
        finally:
            self._surfaces.close()

    def _round(self, number: int) -> None:
        answers = self._surfaces.ask(http=self._ready)
        if self._ended.is_set():
            return  # it died under the question
        for surface, each in answers.items():
            details: dict[str, Value] = {
                "surface": surface,
                "answer": each.answer,
                "code": each.code,
                "latency_ms": round(each.latency_ms, 3),
                "round": number,
            }
            self._recorder.event("probe", self._replica, details)
        self._decide(readiness(answers))

    def _decide(self, ready: bool) -> None:
        """One good answer makes ready; as many bad ones in a row as the settings say, unready."""
        self._failures = 0 if ready else self._failures + 1
        changed = not self._ready if ready else self._failures == self._settings.failures
        if changed and ready != self._ready:
            self._ready = ready
            self._told(self._replica, ready)


def readiness(answers: Mapping[str, Answer]) -> bool:
    """What the answers of one round say about routing calls there."""
    health = answers["health"]
    decisive = answers["ServerReady"] if health.code == "UNIMPLEMENTED" else health
    return decisive.answer is True


class _Asked(Protocol):
    """A call under way."""

    def result(self) -> object: ...


class _Surfaces:
    """The health surfaces of one replica."""

    def __init__(
        self, grpc_address: str, http_address: str | None, model: str, timeout_s: float
    ) -> None:
        self._channel = channel(grpc_address)
        self._inference = GRPCInferenceServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)
        self._model = model
        self._timeout_s = timeout_s
        self._http = (
            httpx.Client(
                base_url=f"http://{http_address}",
                timeout=timeout_s,
                trust_env=False,
                verify=False,  # noqa: S501  # plain HTTP: certificates would be read for nothing
            )
            if http_address
            else None
        )

    def ask(self, *, http: bool) -> dict[str, Answer]:
        """One answer of each surface, asked side by side."""
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
        answers = {surface: _grpc_answer(call, began_s) for surface, call in asked.items()}
        if http and self._http is not None:
            answers["livez"] = _http_answer(self._http, "/livez")
            answers["readyz"] = _http_answer(self._http, "/readyz")
        return answers

    def close(self) -> None:
        self._channel.close()
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
