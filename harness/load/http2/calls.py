"""One attempt at a request, from the order to send it until its outcome."""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.load.http2.answers import Head
from harness.load.http2.headers import literal
from harness.load.wire import Reply

if TYPE_CHECKING:
    from harness.load.http2.connection import Connection


@dataclass(slots=True, eq=False)
class Call:
    """An attempt; once it has its outcome it holds nothing but that."""

    request_id: str
    attempt: int
    body: bytes
    deadline_s: float  # monotonic
    reply: asyncio.Future[Reply]
    connection: "Connection | None" = None  # where it is in flight
    stream_id: int = 0
    window: int = 0  # bytes that the peer lets us send on this stream; may be below 0
    unsent: memoryview | None = None  # of the message
    head: Head | None = None  # the response's first headers
    parts: list[bytes] = field(default_factory=list)  # of the response's message
    is_resent: bool = False
    is_over: bool = False

    def headers(self, timeout_s: float) -> bytes:
        """Encode what is this attempt's own."""
        own = literal(b"x-request-id", self.request_id.encode("ascii", "replace"))
        return _numbered(self.attempt) + own + _limited(timeout_s)

    def restart(self) -> None:
        """Forget a stream that the server never looked at."""
        self.connection = self.unsent = self.head = None
        self.parts = []
        self.is_resent = True

    def finish(self, reply: Reply) -> None:
        """Tell the outcome, to whoever still waits for it."""
        self.is_over = True
        self.connection = self.unsent = self.head = None
        self.body = b""
        self.parts = []
        if not self.reply.done():
            self.reply.set_result(reply)


@lru_cache(maxsize=256)
def _numbered(attempt: int) -> bytes:
    return literal(b"x-mayfly-attempt", str(attempt).encode())


@lru_cache(maxsize=256)
def _limited(timeout_s: float) -> bytes:
    return literal(b"grpc-timeout", timeout(timeout_s))


def timeout(timeout_s: float) -> bytes:
    """Write a time-out, never less than it is, in at most eight digits: PROTOCOL-HTTP2.md."""
    for unit, per_s in ((b"u", 1_000_000), (b"m", 1000), (b"S", 1)):
        count = max(1, -int(-timeout_s * per_s // 1))  # rounded up
        if count < 100_000_000:
            return b"%d%s" % (count, unit)
    return b"99999999S"
