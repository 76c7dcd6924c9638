"""HTTP/2 frames: their numbers, and how they are written. Source: RFC 9113."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_SIZE = 9
MAX_FRAME_SIZE = 16_384  # what we take: the protocol's own default
MAX_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9

END_STREAM = ACK = 0x01
END_HEADERS = 0x04
PADDED = 0x08
WITH_PRIORITY = 0x20

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 5, 6, 7, 8, 9
ENHANCE_YOUR_CALM = 11

HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 3, 4
PEER_MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 5, 6


class ViolationError(Exception):
    """The peer broke the protocol: the connection ends with this code."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(what)
        self.code = code


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write one frame."""
    return (
        struct.pack(">HBBBL", len(payload) >> 8, len(payload) & 255, kind, flags, stream) + payload
    )


def settings(values: dict[int, int]) -> bytes:
    """Write our settings."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HL", *item) for item in values.items()))


def window_update(stream: int, size: int) -> bytes:
    """Allow the peer to send more."""
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">L", size))


def reset(stream: int, code: int) -> bytes:
    """End a stream at once."""
    return frame(RST_STREAM, 0, stream, struct.pack(">L", code))


def goaway(last_stream: int, code: int, reason: bytes = b"") -> bytes:
    """Say up to which stream we have taken calls, and why no more."""
    return frame(GOAWAY, 0, 0, struct.pack(">LL", last_stream, code) + reason)


def unpadded(payload: bytes, flags: int) -> bytes:
    """Take padding away, and what is said about priority. Raises ViolationError."""
    first, last = 0, len(payload)
    if flags & PADDED:
        if not payload or payload[0] >= last:
            raise ViolationError(PROTOCOL_ERROR, "more padding than payload")
        first, last = 1, last - payload[0]
    if flags & WITH_PRIORITY:
        first += 5
        if first > last:
            raise ViolationError(FRAME_SIZE_ERROR, "a priority that is cut short")
    return payload[first:last]
