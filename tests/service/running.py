"""One replica as a process of its own, and the calls that the tests make to it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2_grpc
from open_inference.grpc import protocol
from open_inference.grpc.service import GRPCInferenceServiceStub

from tests.service.backing import free_port

PACKAGES = Path(__file__).resolve().parents[2]
EMPTY = np.zeros((1, 64, 64), np.uint8)


def infer_request(
    images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]" = EMPTY, request_id: str = ""
) -> protocol.ModelInferRequest:
    """Ask what these images show."""
    request = protocol.ModelInferRequest(model_name="defects", id=request_id)
    request.inputs.add(name="image", datatype="UINT8", shape=images.shape)
    request.raw_input_contents.append(images.tobytes())
    return request


class Replica:
    """A replica that has been started; leaving the block kills what is left of it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.port, self.http_port = free_port(), free_port()
        inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGES)}
        inherited |= {"PYTHONPYCACHEPREFIX": "/tmp/mayfly-bytecode"}  # noqa: S108 - a cache
        ports = {"PORT": str(self.port), "HTTP_PORT": str(self.http_port)}
        self._log: list[dict[str, object]] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service_under_test"],
            env=inherited | ports | dict(environment),
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reading = threading.Thread(target=self._read_log, daemon=True)
        self._reading.start()
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{self.port}",
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.enable_retries", 0),
            ],
        )
        self.stub = GRPCInferenceServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self._log.append(json.loads(line))
                self._news.notify_all()

    def __enter__(self) -> Self:
        """Give the replica to the test."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Kill it if it still lives."""
        self.channel.close()
        self.process.kill()
        self.process.wait(10)
        self._reading.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def logged(self, event: str, within_s: float = 10.0, times: int = 1) -> dict[str, object]:
        """Wait until the event has been logged so many times, and give the last of them."""
        with self._news:
            came = self._news.wait_for(lambda: len(self.lines(event)) >= times, within_s)
            assert came, f"no {event!r} after {within_s} s; the log: {self._log}"
            return self.lines(event)[-1]

    def lines(self, event: str) -> list[dict[str, object]]:
        """Give every line that was logged of the event."""
        return [line for line in self._log if line["event"] == event]

    def ready(self) -> "Replica":
        """Wait until it is ready."""
        self.logged("ready")
        return self

    def terminate(self) -> None:
        """Tell it to stop."""
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self, within_s: float = 15.0) -> int:
        """Wait until it is gone."""
        return self.process.wait(within_s)

    def get(self, path: str) -> tuple[int, str]:
        """Ask the HTTP port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def infer(
        self,
        images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]" = EMPTY,
        request_id: str = "",
        timeout_s: float = 5.0,
    ) -> protocol.ModelInferResponse:
        """Ask what these images show and wait for the answer."""
        answer: protocol.ModelInferResponse = self.stub.ModelInfer(
            infer_request(images, request_id), timeout=timeout_s
        )
        return answer


def refusal(call: "grpc.Future[protocol.ModelInferResponse]") -> tuple[grpc.StatusCode, str]:
    """Wait for a call that must fail, and give its code and message."""
    try:
        answer = call.result(timeout=10)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    pytest.fail(f"expected a refusal, saw {answer}")
