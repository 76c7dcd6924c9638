"""The streams of one connection, one for each call: RFC 9113, sections 5 and 8.1.

Frames in, frames out; the socket is somebody else's.
"""

import time

from harness.load.http2 import answers, frames
from harness.load.http2.calls import Call
from harness.load.http2.frames import PROTOCOL_ERROR, ViolationError
from harness.load.http2.headers import NO_TABLE
from harness.load.http2.outlet import Outlet
from harness.load.wire import Reply

STREAM_WINDOW = 2**30  # more than any answer, so that no stream's window is ever topped up
CONNECTION_WINDOW = 2**30  # topped up when half of it is used
_MOST_HEADERS = 2**20  # bytes of one block: a limit to what CONTINUATION may pile up


class Streams:
    """Calls in flight on one connection; ``out`` is what is to be written next."""

    def __init__(self, headers: bytes) -> None:
        self.out: list[bytes] = []
        self.outlet = Outlet()
        self.most = frames.MOST_STREAM_ID  # at a time; no limit until the peer says one
        self.is_in_block = False  # nothing but CONTINUATION may come now
        self._headers = headers  # what all requests have in common
        self._head = NO_TABLE
        self._calls: dict[int, Call] = {}
        self._next_id = 1
        self._block = bytearray()
        self._block_flags = 0
        self._block_of = 0
        self._consumed = 0

    @property
    def has_room(self) -> bool:
        """Whether the peer accepts one more stream now."""
        return len(self._calls) < self.most

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in flight."""
        return not self._calls

    @property
    def is_used_up(self) -> bool:
        """Whether there is no stream id left: section 5.1.1."""
        return self._next_id > frames.MOST_STREAM_ID

    def start(self, call: Call, timeout_s: float) -> bytes:
        """Open a stream for a call; what to write for it."""
        call.stream_id = self._next_id
        self._next_id += 2
        self._calls[call.stream_id] = call
        headers = self._head + self._headers + call.headers(timeout_s)
        self._head = b""
        return self.outlet.open(call, headers)

    def cancel(self, call: Call, reply: Reply) -> None:
        """End a call from this side."""
        self.outlet.forget(call.stream_id)
        self.out.append(frames.rst_stream(call.stream_id, frames.CANCEL))
        self._end(call, reply)

    def take_above(self, last_stream_id: int) -> list[Call]:
        """Take out the calls that the peer never looked at: section 6.8."""
        above = [self._calls.pop(each) for each in list(self._calls) if each > last_stream_id]
        for call in above:
            self.outlet.forget(call.stream_id)
        return above

    def end_all(self, reply: Reply) -> None:
        """End every call in one way."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.finish(reply)

    def set_first_window(self, size: int) -> None:
        """Obey SETTINGS_INITIAL_WINDOW_SIZE."""
        self.outlet.set_first_window(size, self._calls.values())
        self.out.append(self.outlet.release())

    def headers(self, flags: int, stream_id: int, payload: memoryview) -> None:
        """Take a HEADERS frame: section 6.2."""
        self._expect_known(stream_id)
        self._block = bytearray(frames.unpadded(payload, flags))
        self._block_of, self._block_flags = stream_id, flags
        self.is_in_block = not flags & frames.END_HEADERS
        if not self.is_in_block:
            self._end_block()

    def continuation(self, flags: int, stream_id: int, payload: memoryview) -> None:
        """Take a CONTINUATION frame: section 6.10."""
        if not self.is_in_block or stream_id != self._block_of:
            raise ViolationError(PROTOCOL_ERROR, "a CONTINUATION frame that continues nothing")
        self._block += payload
        if len(self._block) > _MOST_HEADERS:
            text = f"headers of more than {_MOST_HEADERS} bytes"
            raise ViolationError(frames.ENHANCE_YOUR_CALM, text)
        self.is_in_block = not flags & frames.END_HEADERS
        if not self.is_in_block:
            self._end_block()

    def data(self, flags: int, stream_id: int, payload: memoryview) -> None:
        """Take a DATA frame; its padding counts for flow control too: section 6.1."""
        self._expect_known(stream_id)
        self._consumed += len(payload)
        if self._consumed > CONNECTION_WINDOW // 2:
            self.out.append(frames.window_update(0, self._consumed))
            self._consumed = 0
        call = self._calls.get(stream_id)
        if call is None:
            return  # it had been cancelled, and the peer did not know yet: section 5.1, "closed"
        if call.head is None:
            self._refuse(call, "DATA before HEADERS")
            return
        call.parts.append(bytes(frames.unpadded(payload, flags & frames.PADDED)))
        if flags & frames.END_STREAM:  # without trailers, as HTTP servers that know no gRPC do
            self._end(call, answers.answer(call.head, call.head, call.parts))

    def rst_stream(self, _flags: int, stream_id: int, payload: memoryview) -> None:
        """Take an RST_STREAM frame: section 6.4."""
        self._expect_known(stream_id)
        code = frames.read_word(bytes(payload), "RST_STREAM")
        call = self._calls.get(stream_id)
        if call is not None:
            self.outlet.forget(stream_id)
            self._end(call, answers.reset(code, time.monotonic() >= call.deadline_s))

    def window_update(self, _flags: int, stream_id: int, payload: memoryview) -> None:
        """Take a WINDOW_UPDATE frame: section 6.9."""
        increment = frames.read_word(bytes(payload), "WINDOW_UPDATE") & frames.MOST_WINDOW
        if increment == 0:
            raise ViolationError(PROTOCOL_ERROR, "a WINDOW_UPDATE of 0 bytes")
        if stream_id == 0:
            self.outlet.widen(None, increment)
        else:
            self._expect_known(stream_id)
            call = self._calls.get(stream_id)
            if call is None:
                return
            self.outlet.widen(call, increment)
        self.out.append(self.outlet.release())

    def _end_block(self) -> None:
        """Take a whole block: the response's head, or its trailers, or both in one: section 8.1."""
        head = answers.head(bytes(self._block))
        call = self._calls.get(self._block_of)
        if call is None:
            return
        if self._block_flags & frames.END_STREAM:
            self._end(call, answers.answer(call.head or head, head, call.parts))
        elif call.head is not None:
            self._refuse(call, "trailers that do not end the stream")
        elif not head.is_informational:
            call.head = head

    def _refuse(self, call: Call, what: str) -> None:
        """Treat a malformed response: section 8.1.1."""
        self.outlet.forget(call.stream_id)
        self.out.append(frames.rst_stream(call.stream_id, PROTOCOL_ERROR))
        self._end(call, Reply(answers.INTERNAL, f"the server sent {what}", None))

    def _end(self, call: Call, reply: Reply) -> None:
        del self._calls[call.stream_id]
        if self.outlet.forget(call.stream_id):  # it answered without waiting for the whole message
            self.out.append(frames.rst_stream(call.stream_id, frames.CANCEL))
        call.finish(reply)

    def _expect_known(self, stream_id: int) -> None:
        """Refuse frames on streams that we never opened: section 5.1, "idle"."""
        if stream_id % 2 == 0 or stream_id >= self._next_id:
            text = f"a frame on stream {stream_id}, which nobody opened"
            raise ViolationError(PROTOCOL_ERROR, text)
