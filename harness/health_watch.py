"""Watches grpc.health.v1 of one replica, and examines it: what clause R4 is judged by."""

import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from harness.history import Value
from harness.recorder import Recorder

_WITHIN_S = 2.0  # of the examination, each question
_AGAIN_AFTER_S = 0.05
_NOBODY = "mayfly.no.such.Service"
_OIP = "inference.GRPCInferenceService"


class HealthWatch:
    """Its stream of statuses from the first on, and its answers to each kind of name."""

    def __init__(
        self, replica: str, link: grpc.Channel, recorder: Recorder, ended: threading.Event
    ) -> None:
        self.replica = replica
        self.recorder = recorder
        self.ended = ended
        self._health = health_pb2_grpc.HealthStub(link)

    def watch(self) -> None:
        """Note each status that grpc.health.v1 streams, from the first moment that it does."""
        while not self.ended.is_set():
            try:
                asked = self._health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                for message in asked:
                    self._note_status(message)
            except ValueError:
                return  # the channel is closed
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return
            self.ended.wait(_AGAIN_AFTER_S)

    def _note_status(self, message: health_pb2.HealthCheckResponse) -> None:
        status = health_pb2.HealthCheckResponse.ServingStatus.Name(message.status)
        self.recorder.event("health.watched", self.replica, {"status": status})

    def examine(self) -> None:
        """What grpc.health.v1 says for the whole server, for one service and for an unknown one."""
        details: dict[str, Value] = {
            "whole": self._check(""),
            "service": self._check(_OIP),
            "unknown": self._check(_NOBODY),
            "watch_first_ms": self._first_message_ms(),
        }
        if not self.ended.is_set():
            self.recorder.event("health.examined", self.replica, details)

    def _check(self, service: str) -> str:
        """The status, or the code of a refusal."""
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = self._health.Check(request, timeout=_WITHIN_S)
        except grpc.RpcError as error:
            return str(error.code().name)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    def _first_message_ms(self) -> float | None:
        began_s = time.monotonic()
        watched = self._health.Watch(health_pb2.HealthCheckRequest(), timeout=_WITHIN_S)
        try:
            next(iter(watched))
        except (grpc.RpcError, StopIteration):
            return None
        watched.cancel()
        return round((time.monotonic() - began_s) * 1000, 3)
