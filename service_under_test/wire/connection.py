"""One HTTP/2 connection of a caller: frames in, frames out. Source: RFC 9113."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from service_under_test.wire import frames as h2
from service_under_test.wire import messages
from service_under_test.wire.calls import Call, Report, Routes, Unary
from service_under_test.wire.frames import ViolationError, frame
from service_under_test.wire.hpack import Decoder, Headers
from service_under_test.wire.outgoing import Outgoing

CALLS_AT_ONCE = 1024
STREAM_WINDOW = messages.MESSAGE_LIMIT + h2.DEFAULT_WINDOW  # one message fits without a word
CONNECTION_WINDOW = 4 * STREAM_WINDOW
REPLENISH_FROM = 1024 * 1024
HEADER_LIMIT = 64 * 1024
LAST_CALLS_S = 0.5  # for the peer to read that we leave, before no new call is taken
_LEAVING = b"leaving."

_GREETING = h2.settings(
    {
        h2.HEADER_TABLE_SIZE: 0,
        h2.MAX_CONCURRENT_STREAMS: CALLS_AT_ONCE,
        h2.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
        h2.MAX_HEADER_LIST_SIZE: 16_384,
    }
) + h2.window_update(0, CONNECTION_WINDOW - h2.DEFAULT_WINDOW)


class Connection(asyncio.Protocol):
    """Takes calls until the peer hangs up or we leave."""

    def __init__(
        self, routes: Routes, report: Report, on_lost: Callable[[Connection], None]
    ) -> None:
        self._routes = routes
        self._report = report
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        self._decoder = Decoder()
        self._greeted = False
        self._unread = b""
        self._header_block: tuple[int, int, bytearray] | None = None  # stream, flags, so far
        self._last = 0  # the newest stream that we took
        self._consumed = 0  # bytes that the peer may send again
        self._turned_away: dict[int, bytes] = {}  # what is said when the whole request is here
        self._is_leaving = False
        self._takes_no_more = False
        self._outgoing = Outgoing(self._rest)
        self.calls = self._outgoing.calls
        self._takers: dict[int, Callable[[int, int, bytes], None]] = {
            h2.DATA: self._take_data,
            h2.HEADERS: self._take_first_headers,
            h2.CONTINUATION: self._continue_headers,
            h2.WINDOW_UPDATE: self._take_window,
            h2.RST_STREAM: self._take_reset,
            h2.SETTINGS: self._take_settings,
            h2.PING: self._take_ping,
            h2.PUSH_PROMISE: self._take_push,
        }

    # -- the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet; a peer that vanished without a word is noticed by the kernel's keepalive."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outgoing.connect(transport)
        link: socket.socket = transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        transport.write(_GREETING)

    def connection_lost(self, _: Exception | None) -> None:
        """Nobody waits for any answer any more."""
        calls = list(self.calls.values())
        self.calls.clear()
        for call in calls:
            call.abandon()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Who does not read our answers may ask no more questions."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Take all whole frames; what they ask for at once is answered in one write."""
        if self._transport.is_closing():
            return
        self._outgoing.hold()
        try:
            self._read(self._unread + data if self._unread else data)
        except ViolationError as violation:
            self._break_off(violation)
            return
        except Exception as error:  # noqa: BLE001 - this connection is lost; the others are not
            self._report("unexpected_error", error)
            self._break_off(ViolationError(h2.INTERNAL_ERROR, type(error).__name__))
            return
        if self._consumed >= REPLENISH_FROM:
            self._outgoing.write(h2.window_update(0, self._consumed))
            self._consumed = 0
        self._outgoing.flush()

    def _read(self, data: bytes) -> None:
        at, end = 0, len(data)
        if not self._greeted:
            if not h2.PREFACE.startswith(data[: len(h2.PREFACE)]):
                raise ViolationError(h2.PROTOCOL_ERROR, "expected HTTP/2")
            if end < len(h2.PREFACE):
                self._unread = data
                return
            self._greeted = True
            at = len(h2.PREFACE)
        while end - at >= h2.HEAD_SIZE:
            size = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
            if size > h2.MAX_FRAME_SIZE:
                raise ViolationError(h2.FRAME_SIZE_ERROR, f"a frame of {size} bytes")
            after = at + h2.HEAD_SIZE + size
            if after > end:
                break
            kind, flags = data[at + 3], data[at + 4]
            number = int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFFFFFF
            self._take(kind, flags, number, data[at + h2.HEAD_SIZE : after])
            at = after
        self._unread = data[at:]

    def _break_off(self, violation: ViolationError) -> None:
        self._outgoing.write(h2.goaway(self._last, violation.code, str(violation).encode()[:200]))
        self._outgoing.flush()
        self._transport.close()

    # -- frames that come in

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if (self._header_block is not None) != (kind == h2.CONTINUATION):
            raise ViolationError(h2.PROTOCOL_ERROR, "headers that do not continue")
        take = self._takers.get(kind)
        if take is not None:  # PRIORITY, GOAWAY and what we do not know ask for nothing
            take(flags, number, payload)

    def _take_first_headers(self, flags: int, number: int, payload: bytes) -> None:
        self._header_block = (number, flags, bytearray(h2.unpadded(payload, flags)))
        self._take_headers(flags)

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        self._consumed += len(payload)
        call = self.calls.get(number)
        if call is None:
            if flags & h2.END_STREAM:
                self._turn_away(number)
            if number > self._last or number == 0:
                raise ViolationError(h2.PROTOCOL_ERROR, "data on a stream that is not open")
            return  # it was refused or reset; what was on its way does not matter
        if call.received_all:
            raise ViolationError(h2.STREAM_CLOSED, "data after the end of the stream")
        if flags & h2.PADDED:
            payload = h2.unpadded(payload, h2.PADDED)
        call.receive(payload, is_last=bool(flags & h2.END_STREAM))

    def _continue_headers(self, flags: int, number: int, payload: bytes) -> None:
        assert self._header_block is not None
        whose, _, block = self._header_block
        block += payload
        if number != whose or len(block) > HEADER_LIMIT:
            raise ViolationError(h2.ENHANCE_YOUR_CALM, "headers without end")
        self._take_headers(flags)

    def _take_headers(self, flags: int) -> None:
        assert self._header_block is not None
        if not flags & h2.END_HEADERS:
            return
        number, first_flags, block = self._header_block
        self._header_block = None
        headers = self._decoder.decode(bytes(block))
        is_last = bool(first_flags & h2.END_STREAM)
        call = self.calls.get(number)
        if call is not None:  # trailers of a request: gRPC has none, HTTP/2 allows them
            call.receive(b"", is_last=is_last)
        elif number in self._turned_away:
            self._turn_away(number)
        elif number > self._last:
            self._open(number, headers, is_last=is_last)
        elif not number & 1:
            raise ViolationError(h2.PROTOCOL_ERROR, f"a call on stream {number}")

    def _open(self, number: int, headers: Headers, *, is_last: bool) -> None:
        if not number & 1:
            raise ViolationError(h2.PROTOCOL_ERROR, f"a call on stream {number}")
        self._last = number
        if self._takes_no_more or len(self.calls) + len(self._turned_away) >= CALLS_AT_ONCE:
            self._outgoing.write(h2.reset(number, h2.REFUSED_STREAM))
            return
        method = self._routes.get(headers.get(b":path", b""))
        if isinstance(method, Unary) and method.turn_away is not None:
            refusal = method.turn_away()
            if refusal is not None and not is_last:
                block = messages.trailers_only(refusal.code, refusal.message)
                self._turned_away[number] = frame(
                    h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, number, block
                )
                return
        call = Call(self._outgoing, number, self._outgoing.stream_window, self._report)
        self.calls[number] = call
        content = headers.get(b"content-type", b"")
        if headers.get(b":method") != b"POST" or not content.startswith(b"application/grpc"):
            call.received_all = is_last
            self._outgoing.write(
                frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, number, messages.NOT_GRPC)
            )
            self._outgoing.forget(call)
            return
        call.received_all = is_last
        call.open(headers, method)
        if is_last:
            call.receive(b"", is_last=True)

    def _turn_away(self, number: int) -> None:
        """Say no once the request is whole: nginx gives up a connection that answers sooner."""
        answer = self._turned_away.pop(number, None)
        if answer is not None:
            self._outgoing.write(answer)
            self._rest()

    def _take_window(self, _: int, number: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ViolationError(h2.FRAME_SIZE_ERROR, "a window of another size")
        self._outgoing.widen(number, int.from_bytes(payload, "big") & h2.MAX_WINDOW)

    def _take_reset(self, _: int, number: int, payload: bytes) -> None:
        if len(payload) != 4 or number > self._last:
            raise ViolationError(h2.PROTOCOL_ERROR, "a reset of what is not open")
        self._turned_away.pop(number, None)
        call = self.calls.get(number)
        if call is not None:
            call.received_all = True  # nothing more comes, so nothing need be said
            call.abandon()
            self._outgoing.forget(call)

    def _take_settings(self, flags: int, _: int, payload: bytes) -> None:
        if flags & h2.ACK:
            return
        if len(payload) % 6:
            raise ViolationError(h2.FRAME_SIZE_ERROR, "settings that are cut short")
        for name, value in struct.iter_unpack(">HL", payload):
            self._outgoing.heed(name, value)
        self._outgoing.write(frame(h2.SETTINGS, h2.ACK, 0))
        self._outgoing.pump()

    def _take_ping(self, flags: int, _: int, payload: bytes) -> None:
        if len(payload) != len(_LEAVING):
            raise ViolationError(h2.FRAME_SIZE_ERROR, "a ping of another size")
        if not flags & h2.ACK:
            self._outgoing.write(frame(h2.PING, h2.ACK, 0, payload))
        elif payload == _LEAVING:
            self._take_no_more()

    def _take_push(self, _flags: int, _number: int, _payload: bytes) -> None:
        raise ViolationError(h2.PROTOCOL_ERROR, "a push from a client")

    # -- the end

    def leave(self) -> None:
        """Say that we leave; calls that are on their way are still taken, then no more.

        Twofold, as RFC 9113, section 6.8 advises: a call sent before the peer has read of it is
        served. When the peer has answered our ping, it has.
        """
        if not self._is_leaving:
            self._is_leaving = True
            self._outgoing.write(
                h2.goaway(h2.MAX_WINDOW, h2.NO_ERROR) + frame(h2.PING, 0, 0, _LEAVING)
            )
            asyncio.get_running_loop().call_later(LAST_CALLS_S, self._take_no_more)

    def _take_no_more(self) -> None:
        if self._is_leaving and not self._takes_no_more and not self._transport.is_closing():
            self._takes_no_more = True
            self._outgoing.write(h2.goaway(self._last, h2.NO_ERROR))
            self._rest()

    def _rest(self) -> None:
        """No call is open any more: that was all, if we leave."""
        if self._takes_no_more and not self.calls and not self._turned_away:
            self._hang_up()

    def _hang_up(self) -> None:
        self._outgoing.flush()
        self._transport.close()

    def abort(self) -> None:
        """Tell all who still wait to ask elsewhere, and hang up."""
        for call in list(self.calls.values()):
            call.stop()
        self._hang_up()
