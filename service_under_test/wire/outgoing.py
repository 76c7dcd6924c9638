"""What goes out on one connection: answers as the peer's windows allow, in as few writes as can be.

Source: RFC 9113, section 5.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from service_under_test.refusal import Code
from service_under_test.wire import frames as h2
from service_under_test.wire import messages
from service_under_test.wire.calls import Call
from service_under_test.wire.frames import ViolationError, frame


class Outgoing:
    """The calls that are open on a connection, and what is sent to them."""

    def __init__(self, on_idle: Callable[[], None]) -> None:
        self._on_idle = on_idle
        self._transport: asyncio.Transport
        self._window = h2.DEFAULT_WINDOW
        self._max_frame = h2.MAX_FRAME_SIZE
        self._stalled: dict[int, Call] = {}
        self._out: list[bytes] = []
        self._flush_is_due = False
        self.stream_window = h2.DEFAULT_WINDOW  # that a new call begins with
        self.calls: dict[int, Call] = {}

    def connect(self, transport: asyncio.Transport) -> None:
        """Write to this transport from now on."""
        self._transport = transport

    def send_answer(self, call: Call, message: bytes) -> None:
        """Send the one answer and the status OK: at once, where the peer's windows allow."""
        call.last_words = messages.TRAILERS_OK
        self.send_message(call, message)

    def send_message(self, call: Call, message: bytes) -> None:
        """Send one answer of many."""
        if call.number not in self.calls:
            return
        if not call.headers_sent:
            call.headers_sent = True
            self.write(frame(h2.HEADERS, h2.END_HEADERS, call.number, messages.RESPONSE))
        call.unsent += messages.wrap(message)
        self._stalled[call.number] = call
        self.pump()

    def send_status(self, call: Call, code: Code, message: str) -> None:
        """Send the status that ends the call."""
        if call.number not in self.calls:
            return
        if call.headers_sent:
            call.last_words = messages.trailers(code, message)
            self._stalled[call.number] = call
            self.pump()
            return
        block = messages.trailers_only(code, message)
        self.write(frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, call.number, block))
        self.forget(call)

    def allow(self, call: Call, size: int) -> None:
        """Let the peer send so much more on this stream."""
        if not call.received_all and call.number in self.calls:
            self.write(h2.window_update(call.number, size))

    def pump(self) -> None:
        """Send what the windows of the peer have room for."""
        for call in list(self._stalled.values()):
            while call.unsent:
                size = min(len(call.unsent), self._window, call.window, self._max_frame)
                if size <= 0:
                    break
                self.write(frame(h2.DATA, 0, call.number, bytes(call.unsent[:size])))
                del call.unsent[:size]
                self._window -= size
                call.window -= size
            if call.unsent:
                continue
            del self._stalled[call.number]
            if call.written is not None:
                call.written.set()
            if call.last_words is not None:
                flags = h2.END_HEADERS | h2.END_STREAM
                self.write(frame(h2.HEADERS, flags, call.number, call.last_words))
                self.forget(call)

    def forget(self, call: Call) -> None:
        """The stream is over; a peer that still sends on it is told not to."""
        self._stalled.pop(call.number, None)
        if self.calls.pop(call.number, None) is not None and not call.received_all:
            self.write(h2.reset(call.number, h2.NO_ERROR))
        if not self.calls:
            self._on_idle()

    def widen(self, number: int, size: int) -> None:
        """Take in that the peer has room for more, on one stream or, as 0, in all."""
        if number == 0:
            self._window += size
            if self._window > h2.MAX_WINDOW:
                raise ViolationError(h2.FLOW_CONTROL_ERROR, "a window too large")
        elif (call := self.calls.get(number)) is not None:
            call.window += size
        if self._stalled:
            self.pump()

    def heed(self, name: int, value: int) -> None:
        """Take in one of the peer's settings. Raises ViolationError."""
        if name == h2.INITIAL_WINDOW_SIZE:
            if value > h2.MAX_WINDOW:
                raise ViolationError(h2.FLOW_CONTROL_ERROR, "a window too large")
            for call in self.calls.values():
                call.window += value - self.stream_window
            self.stream_window = value
        elif name == h2.PEER_MAX_FRAME_SIZE:
            self._max_frame = value

    def write(self, data: bytes) -> None:
        """Send with what else is sent in this turn of the loop."""
        self._out.append(data)
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def hold(self) -> None:
        """Wait for a flush that is sure to come, and is not to take a turn of the loop."""
        self._flush_is_due = True

    def flush(self) -> None:
        """Send what was written."""
        self._flush_is_due = False
        if self._out:
            out, self._out = self._out, []
            self._transport.write(b"".join(out))
