"""What gRPC makes of an HTTP/2 response: its PROTOCOL-HTTP2.md and http-grpc-status-mapping.md."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import grpc

from harness.load.http2 import frames
from harness.load.http2.headers import decode
from harness.load.wire import CANCELLED, Reply

_PREFIX = struct.Struct(">BL")  # compressed or not, and the message's length


def _code(name: str) -> int:
    return int(grpc.StatusCode[name].value[0])


OK = 0
DEADLINE_EXCEEDED, UNAVAILABLE = _code("DEADLINE_EXCEEDED"), _code("UNAVAILABLE")
INTERNAL, UNKNOWN = _code("INTERNAL"), _code("UNKNOWN")
_MOST_STATUS = max(code.value[0] for code in grpc.StatusCode)

_BY_HTTP_STATUS = {  # http-grpc-status-mapping.md; all others are UNKNOWN
    b"400": INTERNAL,
    b"401": _code("UNAUTHENTICATED"),
    b"403": _code("PERMISSION_DENIED"),
    b"404": _code("UNIMPLEMENTED"),
    b"429": UNAVAILABLE,
    b"502": UNAVAILABLE,
    b"503": UNAVAILABLE,
    b"504": UNAVAILABLE,
}
_BY_RESET = {  # PROTOCOL-HTTP2.md, Errors; all others are INTERNAL
    frames.REFUSED_STREAM: UNAVAILABLE,
    frames.CANCEL: CANCELLED,
    frames.ENHANCE_YOUR_CALM: _code("RESOURCE_EXHAUSTED"),
    frames.INADEQUATE_SECURITY: _code("PERMISSION_DENIED"),
}


@dataclass(frozen=True, slots=True)
class Head:
    """What a header block says that matters here."""

    http_status: bytes
    grpc_status: int | None
    detail: str
    encoding: str  # how the message is compressed

    @property
    def is_informational(self) -> bool:
        """Whether more headers follow: RFC 9110, section 15.2."""
        return self.http_status.startswith(b"1")


@lru_cache(maxsize=256)
def head(block: bytes) -> Head:
    """Read a block of headers or trailers; most are the same again. Raises ViolationError."""
    found = decode(block)
    status = found.get(b"grpc-status")
    message = unquote_to_bytes(found.get(b"grpc-message", b"")).decode("utf-8", "replace")
    encoding = found.get(b"grpc-encoding", b"identity").decode("ascii", "replace")
    number = None if status is None else _status(status)
    return Head(found.get(b":status", b""), number, message, encoding)


def _status(text: bytes) -> int:
    number = int(text) if text.isdigit() and len(text) <= 2 else UNKNOWN
    return number if number <= _MOST_STATUS else UNKNOWN


def prefixed(body: bytes) -> bytes:
    """Make a message of a body, uncompressed: Length-Prefixed-Message."""
    return _PREFIX.pack(0, len(body)) + body


def answer(first: Head, last: Head, parts: Sequence[bytes]) -> Reply:
    """Tell how a call ended whose response is whole; for Trailers-Only, first and last are one."""
    if last.grpc_status is None:
        status = _BY_HTTP_STATUS.get(first.http_status, UNKNOWN)
        http_status = first.http_status.decode("ascii", "replace")
        return Reply(status, f"HTTP status {http_status} without grpc-status", None)
    if last.grpc_status != OK:
        return Reply(last.grpc_status, last.detail, None)
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    if len(data) < _PREFIX.size:
        return Reply(INTERNAL, "status OK, but no message came with it", None)
    compressed, length = _PREFIX.unpack_from(data)
    if compressed:  # gRPC's compression.md: what nobody offered to read is INTERNAL
        text = f"a compressed message ({first.encoding}), which was not asked for"
        return Reply(INTERNAL, text, None)
    if length != len(data) - _PREFIX.size:
        text = f"a message of {length} bytes was announced, {len(data) - _PREFIX.size} came"
        return Reply(INTERNAL, text, None)
    return Reply(OK, "", data[_PREFIX.size :])


def reset(code: int, is_late: bool) -> Reply:
    """Tell how a call ended whose stream the server reset."""
    text = f"the server reset the stream: {frames.error_name(code)}"
    if is_late and code == frames.CANCEL:  # it saw the deadline pass before we did
        return Reply(DEADLINE_EXCEEDED, "Deadline Exceeded", None)
    return Reply(_BY_RESET.get(code, INTERNAL), text, None)
