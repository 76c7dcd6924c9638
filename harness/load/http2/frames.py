"""HTTP/2 frames as bytes: RFC 9113, sections 4 (framing), 6 (kinds of frame) and 7 (errors)."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # section 3.4
HEADER = struct.Struct(">HBBBL")  # length (16 + 8 bits), kind, flags, stream: section 4.1
WORD = struct.Struct(">L")
_SETTING = struct.Struct(">HL")
_TWO_WORDS = struct.Struct(">LL")

# The kinds of frame: section 6.
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = 0, 1, 2, 3, 4, 5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9

ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITISED = 0x20

# Settings: section 6.5.2.
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 4, 5

LEAST_FRAME_SIZE = 16_384  # what every peer accepts, and all that we accept
MOST_FRAME_SIZE = 2**24 - 1
FIRST_WINDOW = 65_535  # until a peer says otherwise: section 6.9.2
MOST_WINDOW = 2**31 - 1
MOST_STREAM_ID = 2**31 - 1

ERROR_NAMES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR = 0, 1, 3, 6
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = 7, 8, 9
ENHANCE_YOUR_CALM, INADEQUATE_SECURITY = 11, 12


class ViolationError(Exception):
    """The peer broke the protocol, and the connection cannot go on: section 5.4.1."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Make any frame."""
    return header(len(payload), kind, flags, stream_id) + payload


def header(length: int, kind: int, flags: int, stream_id: int) -> bytes:
    """Make the nine bytes that come before a payload."""
    return HEADER.pack(length >> 8, length & 0xFF, kind, flags, stream_id)


def settings(values: dict[int, int]) -> bytes:
    """Make a SETTINGS frame: section 6.5."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*item) for item in values.items()))


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Read what a SETTINGS frame says. Raises ViolationError."""
    if len(payload) % _SETTING.size:
        raise ViolationError(FRAME_SIZE_ERROR, f"a SETTINGS frame of {len(payload)} bytes")
    return list(_SETTING.iter_unpack(payload))


def window_update(stream_id: int, increment: int) -> bytes:
    """Let the peer send so many bytes more, on a stream or (0) on the connection: section 6.9."""
    return frame(WINDOW_UPDATE, 0, stream_id, WORD.pack(increment))


def rst_stream(stream_id: int, code: int) -> bytes:
    """End one stream at once: section 6.4."""
    return frame(RST_STREAM, 0, stream_id, WORD.pack(code))


def goaway(last_stream_id: int, code: int, text: str = "") -> bytes:
    """Say that the connection ends, and why: section 6.8."""
    said = text.encode("ascii", "replace")[:1024]
    return frame(GOAWAY, 0, 0, _TWO_WORDS.pack(last_stream_id, code) + said)


def read_goaway(payload: bytes) -> tuple[int, int, str]:
    """Read the last stream id, the error code and the debug text. Raises ViolationError."""
    if len(payload) < _TWO_WORDS.size:
        raise ViolationError(FRAME_SIZE_ERROR, f"a GOAWAY frame of {len(payload)} bytes")
    last, code = _TWO_WORDS.unpack_from(payload)
    return last & MOST_STREAM_ID, code, payload[_TWO_WORDS.size :].decode("ascii", "replace")


def read_word(payload: bytes, what: str) -> int:
    """Read the 32 bits that are a whole payload. Raises ViolationError."""
    if len(payload) != WORD.size:
        raise ViolationError(FRAME_SIZE_ERROR, f"a {what} frame of {len(payload)} bytes")
    (word,) = WORD.unpack(payload)
    return int(word)


def unpadded(payload: memoryview, flags: int) -> memoryview:
    """Leave out padding and priority: sections 6.1 and 6.2. Raises ViolationError."""
    begin, end = 0, len(payload)
    if flags & PADDED:
        if not payload:
            raise ViolationError(FRAME_SIZE_ERROR, "a padded frame without a length of padding")
        begin, end = 1, end - payload[0]
    if flags & PRIORITISED:
        begin += 5
    if begin > end:
        raise ViolationError(PROTOCOL_ERROR, "a frame with more padding than payload")
    return payload[begin:end]


def error_name(code: int) -> str:
    """Name an error code."""
    return ERROR_NAMES[code] if code < len(ERROR_NAMES) else f"error {code}"
