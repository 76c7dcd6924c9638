"""A replica that is nothing but its health surfaces: real gRPC and HTTP on 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from grpc_health.v1 import health_pb2
from open_inference.grpc.protocol import (
    ModelReadyResponse,
    ServerLiveResponse,
    ServerReadyResponse,
)

from harness.probes import Prober
from harness.recorder import Recorder
from harness.settings import Probes
from harness.surfaces import Way

PROBES = Probes(period_s=0.1, startup_period_s=0.02, timeout_s=0.3, failures=2)


@dataclass
class HealthServer:
    """Says what it is told to say, on every surface."""

    ready: bool = True
    way: Way = field(default_factory=lambda: Way("", None))

    def handlers(self) -> list[grpc.GenericRpcHandler[bytes, bytes]]:
        """The four questions."""
        asked = {
            "inference.GRPCInferenceService": ("ServerLive", "ServerReady", "ModelReady"),
            "grpc.health.v1.Health": ("Check",),
        }
        return [
            grpc.method_handlers_generic_handler(
                service,
                {
                    method: grpc.unary_unary_rpc_method_handler(partial(self._answer, method))
                    for method in methods
                },
            )
            for service, methods in asked.items()
        ]

    def _answer(self, method: str, _request: bytes, _context: grpc.ServicerContext) -> bytes:
        statuses = health_pb2.HealthCheckResponse
        status = statuses.SERVING if self.ready else statuses.NOT_SERVING
        answers = {
            "ServerLive": ServerLiveResponse(live=True),
            "ServerReady": ServerReadyResponse(ready=self.ready),
            "ModelReady": ModelReadyResponse(ready=self.ready),
            "Check": statuses(status=status),
        }
        return bytes(answers[method].SerializeToString())


@contextmanager
def health_server() -> Iterator[HealthServer]:
    """One that runs while the block does."""
    served = HealthServer()
    server = grpc.server(ThreadPoolExecutor(8), served.handlers())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    served.way = Way(f"127.0.0.1:{port}", f"127.0.0.1:{http.server_address[1]}")
    try:
        yield served
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        server.stop(None).wait(5)


def _handler(served: HealthServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            well = self.path == "/livez" or (self.path == "/readyz" and served.ready)
            self.send_response(200 if well else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class ProbedThing:
    """Fits ``harness.platform.Probed``: a health server that a real prober asks."""

    def __init__(self, server: HealthServer, name: str = "replica-1") -> None:
        self.name = name
        self.server = server
        self.recorder = Recorder()
        self.told: list[bool] = []
        self.prober = Prober(
            name,
            server.way.grpc_address,
            server.way.http_address,
            "model",
            PROBES,
            self.recorder,
            lambda _name, ready: self.told.append(ready),
            lambda _name: None,
        )

    def probe_path(self) -> object:
        """The prober's own."""
        return self.prober.path

    def is_running(self) -> bool:
        """It is."""
        return True

    def answers(self) -> bool:
        """It does."""
        return True

    def identity(self) -> str:
        """Never changes."""
        return self.name

    def successor_is_ready(self) -> bool:
        """There is none."""
        return False

    def logs(self, lines: int) -> str:
        """It writes nothing."""
        return ""[:lines]


@contextmanager
def probed() -> Iterator[ProbedThing]:
    """A health server under a prober that has found it ready."""
    with health_server() as server:
        thing = ProbedThing(server)
        thing.prober.start()
        pause = threading.Event()
        while not thing.told:
            pause.wait(0.01)
        try:
            yield thing
        finally:
            thing.prober.stop()
            thing.prober.join()
