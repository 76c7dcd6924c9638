"""A small HTTP port for platforms that probe and scrape over HTTP: /livez, /readyz, /metrics."""

import asyncio

from service_under_test.metrics import CONTENT_TYPE, Metrics
from service_under_test.state import Readiness

REQUEST_TIMEOUT_S = 5.0
PLAIN_TEXT = "text/plain; charset=utf-8"


class HttpPort:
    """Answers one GET per connection; a web framework would cost more than the whole start."""

    def __init__(self, readiness: Readiness, metrics: Metrics) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen on every address."""
        self._server = await asyncio.start_server(self._serve, "0.0.0.0", port, limit=16_384)  # noqa: S104 - the platform probes from outside

    async def stop(self) -> None:
        """Close the listener."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.split(b"\r\n", 1)[0]))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # whoever speaks no HTTP, or too slowly, gets no answer
        finally:
            writer.close()

    def _answer(self, request_line: bytes) -> bytes:
        method, path, *_ = *request_line.decode("latin-1").split(" "), "", ""
        if method not in {"GET", "HEAD"}:
            return _response("405 Method Not Allowed", PLAIN_TEXT, b"only GET is served here\n")
        match path.partition("?")[0]:
            case "/livez":
                return _response("200 OK", PLAIN_TEXT, b"live\n")
            case "/readyz" if self._readiness.ready:
                return _response("200 OK", PLAIN_TEXT, b"ready\n")
            case "/readyz":
                reason = f"{self._readiness.reason}\n"
                return _response("503 Service Unavailable", PLAIN_TEXT, reason.encode())
            case "/metrics":
                return _response("200 OK", CONTENT_TYPE, self._metrics.render())
        known = b"expected /livez, /readyz or /metrics\n"
        return _response("404 Not Found", PLAIN_TEXT, known)


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
