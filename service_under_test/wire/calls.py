"""One call on one stream: its message in, its answer or status out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from service_under_test.refusal import Code, Refusal
from service_under_test.wire import messages
from service_under_test.wire.hpack import Headers

Answer = bytes | Coroutine[object, object, bytes]
Report = Callable[[str, BaseException], None]  # what went wrong where nothing should


@dataclass(frozen=True, slots=True)
class Unary:
    """A method of one message and one answer.

    ``begin`` runs as soon as the message is whole, before anything is queued, so that a refusal
    costs no task. It gives the answer, or a coroutine that will; both may raise Refusal.
    ``turn_away`` is asked sooner, when only the headers are here: who is turned away costs no
    reading either.
    """

    begin: Callable[[bytes, Call], Answer]
    turn_away: Callable[[], Refusal | None] | None = None


@dataclass(frozen=True, slots=True)
class Streaming:
    """A method of any number of messages either way."""

    talk: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]


Method = Unary | Streaming
Routes = dict[bytes, Method]


class Outlet(Protocol):
    """What a call needs of its connection."""

    def send_answer(self, call: Call, message: bytes) -> None:
        """Send the one answer and the status OK."""
        ...

    def send_message(self, call: Call, message: bytes) -> None:
        """Send one answer of many."""
        ...

    def send_status(self, call: Call, code: Code, message: str) -> None:
        """Send the status that ends the call."""
        ...

    def allow(self, call: Call, size: int) -> None:
        """Let the peer send so much more on this stream."""
        ...


class Call:
    """One call; it ends once, with one code."""

    __slots__ = (
        "_body",
        "_encoding",
        "_inbox",
        "_method",
        "_outlet",
        "_report",
        "_task",
        "deadline_s",
        "ended",
        "headers_sent",
        "last_words",
        "number",
        "on_end",
        "received_all",
        "unsent",
        "window",
        "written",
    )

    def __init__(self, outlet: Outlet, number: int, window: int, report: Report) -> None:
        self._outlet = outlet
        self._report = report
        self._method: Method | None = None
        self._body = bytearray()
        self._encoding = b"identity"
        self._inbox: asyncio.Queue[bytes | None] | None = None
        self._task: asyncio.Task[None] | asyncio.Task[bytes] | None = None
        self.number = number
        self.deadline_s: float | None = None  # on the monotonic clock
        self.on_end: Callable[[Code], None] | None = None  # called once, with how it ended
        self.ended = False
        self.received_all = False
        # For the connection: what the peer's window has no room for yet, and what comes after it.
        self.window = window
        self.headers_sent = False
        self.unsent = bytearray()
        self.last_words: bytes | None = None
        self.written: asyncio.Event | None = None

    @property
    def is_stream(self) -> bool:
        """Whether the call may stay open for ever."""
        return isinstance(self._method, Streaming)

    def open(self, headers: Headers, method: Method | None) -> None:
        """Begin with what the headers say."""
        self._encoding = headers.get(b"grpc-encoding", b"identity")
        self._method = method
        if method is None:
            path = headers.get(b":path", b"")[:100]
            self.fail(Code.UNIMPLEMENTED, f"method: expected one that is served, saw {path!r}")
            return
        try:
            self.deadline_s = messages.read_deadline(headers)
        except Refusal as refusal:
            self.fail(refusal.code, refusal.message)
            return
        if isinstance(method, Streaming):
            self._inbox = asyncio.Queue()
            self._task = asyncio.get_running_loop().create_task(self._talk(method))
            self._task.add_done_callback(self._talked)

    def receive(self, payload: bytes, *, is_last: bool) -> None:
        """Take in a part of the body."""
        self.received_all = self.received_all or is_last
        if self.ended:
            return
        self._body += payload
        try:
            if self._inbox is not None:
                self._put_into(self._inbox)
            elif is_last:
                self._begin()
            else:
                messages.refuse_too_large(self._body)
        except Refusal as refusal:
            self.fail(refusal.code, refusal.message)
        except Exception as error:  # noqa: BLE001 - the call failed; the replica has not
            self._fail_unexpectedly(error)

    def _put_into(self, inbox: asyncio.Queue[bytes | None]) -> None:
        while (message := messages.take_message(self._body, self._encoding)) is not None:
            inbox.put_nowait(message)
        if self.received_all:
            inbox.put_nowait(None)

    def _begin(self) -> None:
        assert isinstance(self._method, Unary)
        message = messages.take_message(self._body, self._encoding)
        if message is None or self._body:
            raise Refusal(Code.INVALID_ARGUMENT, "message: expected one, saw none, part or more")
        answer = self._method.begin(message, self)
        if isinstance(answer, bytes):
            self._succeed(answer)
        else:
            self._task = task = asyncio.get_running_loop().create_task(answer)
            task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[bytes]) -> None:
        if task.cancelled():
            self.fail(Code.UNAVAILABLE, "the replica stops; ask another one")
        elif (error := task.exception()) is None:
            self._succeed(task.result())
        elif isinstance(error, Refusal):
            self.fail(error.code, error.message)
        else:
            self._fail_unexpectedly(error)

    async def _talk(self, method: Streaming) -> None:
        async for answer in method.talk(self._incoming()):
            self._outlet.send_message(self, answer)
            if self.unsent:  # who does not read is not answered faster than he reads
                self.written = asyncio.Event()
                await self.written.wait()

    async def _incoming(self) -> AsyncIterator[bytes]:
        assert self._inbox is not None
        while (message := await self._inbox.get()) is not None:
            self._outlet.allow(self, len(messages.wrap(message)))
            yield message

    def _talked(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self.fail(Code.UNAVAILABLE, "the replica stops; ask another one")
        elif (error := task.exception()) is None:
            self.fail(Code.OK, "")
        elif isinstance(error, Refusal):
            self.fail(error.code, error.message)
        else:
            self._fail_unexpectedly(error)

    def _succeed(self, message: bytes) -> None:
        if not self.ended:
            self._end(Code.OK)
            self._outlet.send_answer(self, message)

    def fail(self, code: Code, message: str) -> None:
        """End with a status; who ended already is not disturbed."""
        if not self.ended:
            self._end(code)
            self._outlet.send_status(self, code, message)

    def _fail_unexpectedly(self, error: BaseException) -> None:
        self._report("unexpected_error", error)
        self.fail(Code.INTERNAL, f"an error of the service: {type(error).__name__}; ask again")

    def stop(self) -> None:
        """Throw the work out; the caller is told to ask elsewhere."""
        self.fail(Code.UNAVAILABLE, "the replica stops; ask another one")
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """Throw the work out; nobody waits for it any more."""
        if not self.ended:
            self._end(Code.CANCELLED)
        if self._task is not None:
            self._task.cancel()

    def _end(self, code: Code) -> None:
        self.ended = True
        if self.on_end is not None:
            self.on_end(code)
