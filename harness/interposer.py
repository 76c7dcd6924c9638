"""Stands between the platform's probe and a replica: forwards its questions, or answers itself.

Real sockets on 127.0.0.1, in the process of the harness as the probe itself: nothing survives it.
gRPC and HTTP; each surface says what it is told to, or what the replica says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NoReturn, TypeAlias

import grpc
import httpx
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from open_inference.grpc.protocol import (
    ModelReadyResponse,
    ServerLiveResponse,
    ServerReadyResponse,
)

from harness.surfaces import Way, channel

LOOPBACK = "127.0.0.1"

Word: TypeAlias = Callable[[str], bool | None]
"""What a surface is to say: true, false, or None for what the replica says itself."""

Context: TypeAlias = grpc.ServicerContext

_HANDLERS = 32  # late answers keep one each
_FORWARD_TIMEOUT_S = 5.0


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _serving(said: bool) -> bytes:
    statuses = health_pb2.HealthCheckResponse
    return _bytes(statuses(status=statuses.SERVING if said else statuses.NOT_SERVING))


_SERVICES: dict[str, dict[str, tuple[str, Callable[[bool], bytes]]]] = {
    "inference.GRPCInferenceService": {
        "ServerLive": ("ServerLive", lambda said: _bytes(ServerLiveResponse(live=said))),
        "ServerReady": ("ServerReady", lambda said: _bytes(ServerReadyResponse(ready=said))),
        "ModelReady": ("ModelReady", lambda said: _bytes(ModelReadyResponse(ready=said))),
    },
    "grpc.health.v1.Health": {"Check": ("health", _serving)},
}
"""All that a probe asks: for each call the surface that it is, and how to write what it says."""


class Interposer:
    """Answers the probe of one replica, each answer at least ``delay_s`` late."""

    def __init__(self, replica: Way, word: Word, delay_s: float = 0.0) -> None:
        self._word = word
        self._delay_s = delay_s
        self._closing = threading.Event()
        self._replica = channel(replica.grpc_address)
        self._server = grpc.server(
            ThreadPoolExecutor(_HANDLERS, thread_name_prefix="interposer"),
            [self._handler(service) for service in _SERVICES],
        )
        port = self._server.add_insecure_port(f"{LOOPBACK}:0")
        self._server.start()
        self._http = None if replica.http_address is None else _Http(replica.http_address, self)
        self.way = Way(f"{LOOPBACK}:{port}", self._http.address if self._http else None)

    def close(self) -> None:
        """Answer nobody any more; questions under way are hung up on."""
        self._closing.set()
        self._server.stop(None).wait(_FORWARD_TIMEOUT_S)
        self._replica.close()
        if self._http is not None:
            self._http.close()

    def say(self, surface: str) -> bool | None:
        """Wait as long as is wanted, then tell what is to be said."""
        said = self._word(surface)
        self._closing.wait(self._delay_s)
        return said

    def _handler(self, service: str) -> grpc.GenericRpcHandler[bytes, bytes]:
        answers = {
            method: grpc.unary_unary_rpc_method_handler(partial(self._answer, service, method))
            for method in _SERVICES[service]
        }
        return grpc.method_handlers_generic_handler(service, answers)

    def _answer(self, service: str, method: str, request: bytes, context: Context) -> bytes:
        surface, write = _SERVICES[service][method]
        said = self.say(surface)
        if said is not None:
            return write(said)
        try:
            call = self._replica.unary_unary(f"/{service}/{method}", None, None)
            answer: bytes = call(request, timeout=context.time_remaining() or _FORWARD_TIMEOUT_S)
        except grpc.RpcError as error:
            _abort(context, error)
        return answer


def _abort(context: Context, error: grpc.RpcError) -> NoReturn:
    context.abort(error.code(), error.details() or "")


class _Http(ThreadingHTTPServer):
    """The HTTP half: /livez and /readyz, anything else forwarded."""

    def __init__(self, replica: str, interposer: Interposer) -> None:
        self.interposer = interposer
        self.replica = httpx.Client(
            base_url=f"http://{replica}",
            timeout=_FORWARD_TIMEOUT_S,
            trust_env=False,
            verify=False,  # noqa: S501  # plain HTTP: certificates would be read for nothing
        )
        super().__init__((LOOPBACK, 0), _HttpHandler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{LOOPBACK}:{self.server_address[1]}"

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.replica.close()

    def handle_error(self, _request: object, _address: object) -> None:
        """A probe that no longer waits for its answer is no error of ours."""


class _HttpHandler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name that http.server looks for
        said = self.server.interposer.say(self.path.strip("/"))
        if said is not None:
            self._send(HTTPStatus.OK if said else HTTPStatus.SERVICE_UNAVAILABLE, b"")
            return
        try:
            response = self.server.replica.get(self.path)
        except httpx.HTTPError:
            self.close_connection = True  # what the replica does not say, nobody says
            return
        self._send(response.status_code, response.content)

    def log_message(self, *_: object) -> None:
        """The history keeps what the probe heard."""

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
