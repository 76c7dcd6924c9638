"""The HTTP server of the control API: a thread a connection, few of them, none for long."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket

from .api import Api, Response, refusal
from .errors import BAD_BODY, ApiError

_CONNECTIONS_AT_ONCE = 32
_IDLE_S = 15.0
_BODY_BYTES = 1024 * 1024
_DIGITS = 18

Client = tuple[str, int]


class Control(ThreadingHTTPServer):
    """Serves the API. More connections than 32 at once wait in the backlog for their turn."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: Client, api: Api) -> None:
        super().__init__(address, Handler)
        self.api = api
        self._places = threading.BoundedSemaphore(_CONNECTIONS_AT_ONCE)

    def get_request(self) -> tuple[socket, Client]:
        """Wait for a place, then for a connection."""
        self._places.acquire()
        try:
            return super().get_request()
        except OSError:
            self._places.release()
            raise

    def shutdown_request(self, request: object) -> None:
        """Close a connection and give its place back."""
        super().shutdown_request(request)  # type: ignore[arg-type]
        self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what went wrong, unless it is only that a client went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One connection of a client: request after request, until it is silent for 15 s."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: Control

    def _handle(self) -> None:
        try:
            self._answer(self._response(self._body()))
        except ApiError as error:
            self.close_connection = True  # where the next request begins is not known
            self._answer(refusal(error))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = _handle  # noqa: N815

    def _response(self, body: bytes) -> Response:
        if self.headers.get("User-Agent", "").startswith("Mozilla/"):
            return refusal(ApiError("User agent not allowed", 403))  # no web page may steer it
        return self.server.api.handle(self.command, self.path, body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise ApiError("expected Content-Length, got Transfer-Encoding", 411)
        text = self.headers.get("Content-Length", "0")
        if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
            raise BAD_BODY.because(f"Content-Length has to be a number, not {text[:80]!r}")
        size = int(text)
        if size > _BODY_BYTES:
            raise ApiError(f"expected a body of at most {_BODY_BYTES} bytes, got {size}", 413)
        body = self.rfile.read(size)
        if len(body) < size:
            raise BAD_BODY.because(f"expected {size} bytes, got {len(body)}")
        return body

    def _answer(self, response: Response) -> None:
        body = b"" if response.body is None else json.dumps(response.body).encode() + b"\n"
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json")
        if response.status != 204:  # it has no body, and so no length either
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no HTTP, or no method of ours, as any other error."""
        self.close_connection = True
        self._answer(refusal(ApiError(message or explain or "not understood", code)))

    def log_message(self, *_: object) -> None:
        """Say nothing: a harness asks often."""
