"""Bytes from the socket, cut into frames where they lie: RFC 9113, section 4.1."""

from collections.abc import Iterator

from harness.load.http2.frames import (
    FRAME_SIZE_ERROR,
    HEADER,
    LEAST_FRAME_SIZE,
    MOST_STREAM_ID,
    ViolationError,
)

_SIZE = 1 << 16  # holds three of the largest frames

Frame = tuple[int, int, int, memoryview]  # kind, flags, stream id, payload


class Inbox:
    """One buffer that the event loop fills, and that is read before it is filled again."""

    def __init__(self) -> None:
        self._view = memoryview(bytearray(_SIZE))
        self._begin = 0
        self._end = 0

    def space(self) -> memoryview:
        """Where the next bytes go; never empty, because a whole frame is always taken out."""
        return self._view[self._end :]

    def frames(self, received: int) -> Iterator[Frame]:
        """Give the frames that are whole now; a payload is gone once the next is asked for.

        Raises ViolationError for a frame that is larger than what we advertise.
        """
        self._end += received
        view, begin, end = self._view, self._begin, self._end
        while end - begin >= HEADER.size:
            high, low, kind, flags, stream_id = HEADER.unpack_from(view, begin)
            after = begin + HEADER.size + (high << 8 | low)
            if after - begin > HEADER.size + LEAST_FRAME_SIZE:
                raise ViolationError(FRAME_SIZE_ERROR, f"a frame of {high << 8 | low} bytes")
            if after > end:
                break
            yield kind, flags, stream_id & MOST_STREAM_ID, view[begin + HEADER.size : after]
            begin = after
        rest = end - begin
        if begin and rest:
            view[:rest] = bytes(view[begin:end])
        self._begin, self._end = 0, rest
