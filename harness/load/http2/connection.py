"""One HTTP/2 connection on plain TCP: its beginning, its streams, its end (RFC 9113)."""

import asyncio
from typing import Protocol

from harness.load.http2 import answers, frames
from harness.load.http2.calls import Call
from harness.load.http2.frames import PROTOCOL_ERROR, ViolationError
from harness.load.http2.inbox import Inbox
from harness.load.http2.streams import CONNECTION_WINDOW, STREAM_WINDOW, Streams
from harness.load.wire import Reply

_ON_CONNECTION = frozenset((frames.SETTINGS, frames.PING, frames.GOAWAY))


def _greeting(stream_window: int) -> bytes:
    """What a connection begins with; it may be followed by requests at once: section 3.4."""
    settings = {
        frames.HEADER_TABLE_SIZE: 0,  # the peer's header blocks then need no memory
        frames.ENABLE_PUSH: 0,
        frames.INITIAL_WINDOW_SIZE: stream_window,
    }
    widened = frames.window_update(0, CONNECTION_WINDOW - frames.FIRST_WINDOW)
    return b"".join((frames.PREFACE, frames.settings(settings), widened))


class Owner(Protocol):
    """Who gives calls to a connection, and hears what becomes of it."""

    def retired(self, connection: "Connection") -> None:
        """Hear that a connection takes no more calls."""

    def freed(self) -> None:
        """Hear that there may be room for another stream."""

    def again(self, call: Call) -> None:
        """Take back a call that the server never looked at."""


class Connection(asyncio.BufferedProtocol):
    """A connection; asyncio sets TCP_NODELAY, and writes at once if nothing waits to be written."""

    def __init__(self, owner: Owner, headers: bytes, stream_window: int = STREAM_WINDOW) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()  # the server's SETTINGS came
        self.retired: asyncio.Future[None] = loop.create_future()
        self.streams = Streams(headers)
        self._owner = owner
        self._stream_window = stream_window  # bytes of an answer that the server may send unasked
        self._inbox = Inbox()
        self._transport: asyncio.Transport | None = None  # None when lost
        self._farewell = ""
        streams = self.streams
        self._handlers = {
            frames.HEADERS: streams.headers,
            frames.CONTINUATION: streams.continuation,
            frames.DATA: streams.data,
            frames.RST_STREAM: streams.rst_stream,
            frames.WINDOW_UPDATE: streams.window_update,
        }

    @property
    def has_room(self) -> bool:
        """Whether a call may start now."""
        return self.streams.has_room and not self.retired.done()

    @property
    def is_lost(self) -> bool:
        """Whether nothing will come of it any more."""
        return self._transport is None

    def start(self, call: Call, timeout_s: float) -> None:
        """Send a call, at once: one write if the windows have room for it."""
        assert self._transport is not None
        call.connection = self
        self._transport.write(self.streams.start(call, timeout_s))
        if self.streams.is_used_up:
            self._retire()

    def cancel(self, call: Call, reply: Reply) -> None:
        """End a call from this side."""
        self.streams.cancel(call, reply)
        self._flush()

    def close(self, reply: Reply) -> None:
        """End the connection, and all that is in flight with this reply."""
        self.streams.out.append(frames.goaway(0, frames.NO_ERROR))
        self._end(reply)
        if self._transport is not None:
            self._transport.abort()  # without waiting for a server that does not read

    def leave(self) -> None:
        """Say goodbye, and wait to be lost: until the server has closed its side as well."""
        if self._transport is not None:
            self._transport.write(frames.goaway(0, frames.NO_ERROR))
            self._transport.write_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the server."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_greeting(self._stream_window))

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Tell the event loop where to put what it reads."""
        return self._inbox.space()

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        try:
            for kind, flags, stream_id, payload in self._inbox.frames(nbytes):
                self._take(kind, flags, stream_id, payload)
        except ViolationError as error:
            self.streams.out.append(frames.goaway(0, error.code, str(error)))
            name = frames.error_name(error.code)
            text = f"the server broke the HTTP/2 protocol ({name}): {error}"
            self._end(Reply(answers.UNAVAILABLE, text, None))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is in flight: whether the server did it nobody knows."""
        why = f"was lost: {exc}" if exc else "was closed by the server"
        text = f"the connection {why}{self._farewell}"
        self._transport = None
        self._end(Reply(answers.UNAVAILABLE, text, None))

    def _take(self, kind: int, flags: int, stream_id: int, payload: memoryview) -> None:
        if not self.ready.done() and (kind != frames.SETTINGS or flags & frames.ACK):
            raise ViolationError(PROTOCOL_ERROR, "its first frame was not SETTINGS")  # section 3.4
        if self.streams.is_in_block and kind != frames.CONTINUATION:
            raise ViolationError(PROTOCOL_ERROR, "headers were cut short")  # section 6.10
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(flags, stream_id, payload)
        elif kind in _ON_CONNECTION:
            if stream_id:
                raise ViolationError(PROTOCOL_ERROR, f"frame {kind} on stream {stream_id}")
            self._control(kind, flags, bytes(payload))
        elif kind == frames.PUSH_PROMISE:
            raise ViolationError(PROTOCOL_ERROR, "PUSH_PROMISE, which was forbidden")

    def _control(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == frames.PING:
            if len(payload) != 8:
                raise ViolationError(frames.FRAME_SIZE_ERROR, f"a PING of {len(payload)} bytes")
            if not flags & frames.ACK:
                self.streams.out.append(frames.frame(frames.PING, frames.ACK, 0, payload))
        elif kind == frames.GOAWAY:
            self._go_away(*frames.read_goaway(payload))
        elif not flags & frames.ACK:
            self._obey(frames.read_settings(payload))

    def _obey(self, settings: list[tuple[int, int]]) -> None:
        """Obey SETTINGS, and say so: section 6.5.3."""
        for name, value in settings:
            if name == frames.INITIAL_WINDOW_SIZE:
                self.streams.set_first_window(value)
            elif name == frames.MAX_CONCURRENT_STREAMS:
                self.streams.most = value
            elif name == frames.MAX_FRAME_SIZE:
                if not frames.LEAST_FRAME_SIZE <= value <= frames.MOST_FRAME_SIZE:
                    raise ViolationError(PROTOCOL_ERROR, f"a frame size of {value}")
                self.streams.outlet.frame_size = value
        self.streams.out.append(frames.frame(frames.SETTINGS, frames.ACK, 0))
        if not self.ready.done():
            self.ready.set_result(None)

    def _go_away(self, last_stream_id: int, code: int, text: str) -> None:
        """Open no more streams here; what the server never looked at goes elsewhere."""
        self._farewell = f", after GOAWAY {frames.error_name(code)} {text}".rstrip()
        self._retire()
        for call in self.streams.take_above(last_stream_id):
            if call.is_resent:
                said = f"the server refused it a second time{self._farewell}"
                call.finish(Reply(answers.UNAVAILABLE, said, None))
            else:
                call.restart()
                self._owner.again(call)

    def _retire(self) -> None:
        if not self.retired.done():
            self.retired.set_result(None)
            self._owner.retired(self)

    def _flush(self) -> None:
        """Write what has gathered, and let others have the room that has come free."""
        out = self.streams.out
        if self._transport is not None:
            if out:
                self._transport.write(b"".join(out))
                out.clear()
            if self.retired.done() and self.streams.is_empty:
                self._transport.close()
        self._owner.freed()

    def _end(self, reply: Reply) -> None:
        """End everything, for one reason."""
        if not self.ready.done():
            self.ready.set_exception(ConnectionResetError(reply.detail))
            self.ready.exception()  # seen, even if nobody waits for it any more
        self._retire()
        self.streams.end_all(reply)
        self._flush()
