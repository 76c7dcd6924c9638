"""Messages on their way out, as far as the peer's windows let them: RFC 9113, section 5.2."""

from collections.abc import Iterable

from harness.load.http2.answers import prefixed
from harness.load.http2.calls import Call
from harness.load.http2.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    FLOW_CONTROL_ERROR,
    HEADERS,
    LEAST_FRAME_SIZE,
    MOST_WINDOW,
    ViolationError,
    header,
)


class Outlet:
    """Flow control for one connection: its window, its streams' windows, and who waits for them."""

    def __init__(self) -> None:
        self.frame_size = LEAST_FRAME_SIZE
        self._window = FIRST_WINDOW
        self._first_window = FIRST_WINDOW  # of each new stream
        self._blocked: dict[int, Call] = {}  # by stream id: in the order in which they came

    def open(self, call: Call, headers: bytes) -> bytes:
        """Begin a request: its headers, and as much of its message as may go now."""
        stream_id = call.stream_id
        message = prefixed(call.body)
        size = len(message)
        begin = header(len(headers), HEADERS, END_HEADERS, stream_id) + headers
        call.window = self._first_window
        if not self._blocked and size <= min(self._window, call.window, self.frame_size):
            self._window -= size
            call.window -= size
            return b"".join((begin, header(size, DATA, END_STREAM, stream_id), message))
        call.unsent = memoryview(message)
        self._blocked[stream_id] = call
        return begin + self.release()

    def release(self) -> bytes:
        """Take out what may go now, first come, first served."""
        out: list[bytes] = []
        done = []
        for stream_id, call in self._blocked.items():
            if self._window <= 0:
                break
            self._take(call, out)
            if call.unsent is None:
                done.append(stream_id)
        for stream_id in done:
            del self._blocked[stream_id]
        return b"".join(out)

    def _take(self, call: Call, out: list[bytes]) -> None:
        """Cut one call's message into frames until it, or a window, is used up."""
        while call.unsent is not None:
            left = len(call.unsent)
            size = min(left, self._window, call.window, self.frame_size)
            if size <= 0:
                return
            flags = END_STREAM if size == left else 0
            out += (header(size, DATA, flags, call.stream_id), bytes(call.unsent[:size]))
            self._window -= size
            call.window -= size
            call.unsent = call.unsent[size:] if size < left else None

    def forget(self, stream_id: int) -> bool:
        """Send no more of a stream; whether there was anything left to send."""
        return self._blocked.pop(stream_id, None) is not None

    def widen(self, call: Call | None, increment: int) -> None:
        """Let more go, on a stream or (None) on the connection: section 6.9.1."""
        grown = increment + (self._window if call is None else call.window)
        if grown > MOST_WINDOW:
            raise ViolationError(FLOW_CONTROL_ERROR, f"a window of {grown} bytes")
        if call is None:
            self._window = grown
        else:
            call.window = grown

    def set_first_window(self, size: int, calls: Iterable[Call]) -> None:
        """Change the window of new streams, and of the present ones by as much: section 6.9.2."""
        if size > MOST_WINDOW:
            raise ViolationError(FLOW_CONTROL_ERROR, f"a first window of {size} bytes")
        grown = size - self._first_window
        self._first_window = size
        for call in calls:
            self.widen(call, grown)
