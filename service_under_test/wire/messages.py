"""gRPC's own layer: headers, message frames and statuses. Source: gRPC's PROTOCOL-HTTP2.md."""

import struct
import time
import zlib
from functools import lru_cache

from service_under_test.refusal import Code, Refusal
from service_under_test.wire.hpack import Headers, literal

MESSAGE_LIMIT = 4 * 1024 * 1024  # gRPC's own default
_PREFIX = 5
_DETAIL_LIMIT = 1024
_UNITS_S = {b"n": 1e-9, b"u": 1e-6, b"m": 1e-3, b"S": 1.0, b"M": 60.0, b"H": 3600.0}
_ENCODINGS = {b"gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}

_STATUS_200 = b"\x88"  # whole in the static table
RESPONSE = _STATUS_200 + literal(b"content-type", b"application/grpc")
TRAILERS_OK = literal(b"grpc-status", b"0")


@lru_cache(maxsize=256)
def trailers(code: Code, message: str) -> bytes:
    """Write the status that ends a call; most refusals say the same again and again."""
    safe = "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}"
        for byte in message[:_DETAIL_LIMIT].encode()
    )
    return literal(b"grpc-status", str(int(code)).encode()) + literal(
        b"grpc-message", safe.encode()
    )


@lru_cache(maxsize=256)
def trailers_only(code: Code, message: str) -> bytes:
    """Write the status of a call that got no other answer."""
    return RESPONSE + trailers(code, message)


NOT_GRPC = literal(b":status", b"415")


def read_deadline(headers: Headers) -> float | None:
    """Tell when the caller stops to wait, on the monotonic clock. Raises Refusal."""
    timeout = headers.get(b"grpc-timeout")
    if timeout is None:
        return None
    number, unit = timeout[:-1], _UNITS_S.get(timeout[-1:])
    if unit is None or not number.isdigit() or len(number) > 8:
        raise Refusal(
            Code.INVALID_ARGUMENT,
            f"grpc-timeout: expected up to 8 digits and one of numSMH, saw {timeout[:20]!r}",
        )
    return time.monotonic() + int(number) * unit


def wrap(message: bytes) -> bytes:
    """Put a message into its frame."""
    return struct.pack(">BL", 0, len(message)) + message


def refuse_too_large(body: bytearray) -> int:
    """Tell the size that the first message declares, if it may be so large. Raises Refusal."""
    length = int.from_bytes(body[1:_PREFIX], "big")
    if length > MESSAGE_LIMIT:
        raise Refusal(
            Code.RESOURCE_EXHAUSTED,
            f"message: expected at most {MESSAGE_LIMIT} bytes, saw {length}; send less at once",
        )
    return length


def take_message(body: bytearray, encoding: bytes) -> bytes | None:
    """Take the first whole message out of the body, or nothing yet. Raises Refusal."""
    if len(body) < _PREFIX:
        return None
    end = _PREFIX + refuse_too_large(body)
    if len(body) < end:
        return None
    message = bytes(body[_PREFIX:end])
    is_compressed = body[0]
    del body[:end]
    return _decompress(message, encoding) if is_compressed else message


def _decompress(message: bytes, encoding: bytes) -> bytes:
    bits = _ENCODINGS.get(encoding)
    if bits is None:
        raise Refusal(
            Code.UNIMPLEMENTED,
            f"grpc-encoding: expected identity, gzip or deflate, saw {encoding[:20]!r}",
        )
    try:
        unpacking = zlib.decompressobj(bits)
        plain = unpacking.decompress(message, MESSAGE_LIMIT)
    except zlib.error:
        raise Refusal(Code.INTERNAL, "message: its compressed bytes cannot be read") from None
    if unpacking.unconsumed_tail:
        raise Refusal(
            Code.RESOURCE_EXHAUSTED,
            f"message: expected at most {MESSAGE_LIMIT} bytes, saw more; send less at once",
        )
    return plain
