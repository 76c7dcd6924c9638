"""The life of connections, against a scripted peer: GOAWAY, loss, violations, coming back."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import LoadError
from harness.load.http2 import frames
from harness.load.http2.calls import Call
from harness.load.http2.connection import Connection
from harness.load.http2.wire import Http2Wire
from harness.load.wire import Reply
from tests.load.http2_peer import OK_HEAD, Link, Peer, data, headers, play

UNAVAILABLE = 14
LONG_S = 10.0


def test_goaway_moves_what_was_never_looked_at() -> None:
    """Older streams finish where they are, younger ones go to a new connection, unnoticed."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        replies = [wire.send(b"%d" % n, f"id-{n}", 1, LONG_S) for n in range(3)]
        for _ in range(3):
            await link.request()
        link.send(frames.goaway(1, 0))
        waiting = wire.send(b"3", "id-3", 1, LONG_S)
        later = await (await peer.accept()).greet()
        seen = [await later.request() for _ in range(3)]
        assert {body: name for _, name, body in seen}.keys() == {b"1", b"2", b"3"}
        assert all(b"id-" + body in block for _, block, body in seen)
        for stream_id, _, body in seen:
            later.answer(stream_id, b"new " + body)
        link.answer(1, b"old 0")
        bodies = [(await reply).body for reply in (*replies, waiting)]
        assert bodies == [b"old 0", b"new 1", b"new 2", b"new 3"]
        assert await link.is_closed()  # once nothing is in flight there
        assert (await asyncio.wait_for(_served(wire, later), LONG_S)).body == b"again"

    play(scene)


async def _served(wire: Http2Wire, link: Link) -> Reply:
    reply = wire.send(b"x", "id-9", 1, LONG_S)
    link.answer((await link.request())[0], b"again")
    return await reply


async def _hang_up(wire: Http2Wire, link: Link) -> None:
    """Close a connection, and wait until the wire knows."""
    assert wire._connection is not None
    known = wire._connection.retired
    link.socket.close()
    await asyncio.wait([known])


def test_goaway_in_two_steps() -> None:
    """First with the highest id, then with the last one that counts: RFC 9113, section 6.8."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        replies = [wire.send(b"x", f"id-{n}", 1, LONG_S) for n in range(2)]
        link.send(frames.goaway(frames.MOST_STREAM_ID, 0))
        later = await (await peer.accept()).greet()
        link.send(frames.goaway(1, 0))
        later.answer((await later.request())[0], b"new")
        link.answer(1, b"old")
        assert [(await reply).body for reply in replies] == [b"old", b"new"]

    play(scene)


def test_a_call_is_moved_only_once() -> None:
    """A second server that will not look at it either makes it UNAVAILABLE."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        reply = wire.send(b"x", "id-1", 1, LONG_S)
        await link.request()
        link.send(frames.goaway(0, 11, "too many pings"))
        later = await (await peer.accept()).greet()
        await later.request()
        later.send(frames.goaway(0, 0, "I go too"))
        assert (await reply).status == UNAVAILABLE
        assert "second time, after GOAWAY NO_ERROR I go too" in (await reply).detail

    play(scene)


def test_no_stream_id_is_left() -> None:
    """The last id is used, and the next call goes to a new connection."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        assert wire._connection is not None
        wire._connection.streams._next_id = frames.MOST_STREAM_ID
        last = wire.send(b"last", "id-1", 1, LONG_S)
        first = wire.send(b"first", "id-2", 1, LONG_S)
        later = await (await peer.accept()).greet()
        assert (await link.request())[::2] == (frames.MOST_STREAM_ID, b"last")
        assert (await later.request())[::2] == (1, b"first")
        link.answer(frames.MOST_STREAM_ID, b"1")
        later.answer(1, b"2")
        assert [(await last).body, (await first).body] == [b"1", b"2"]
        assert await link.is_closed()

    play(scene)


def test_a_lost_connection() -> None:
    """All its calls are UNAVAILABLE; those made meanwhile wait for the next one, made at once."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        await asyncio.sleep(0.3)  # it is no connection that breaks again and again
        replies = [wire.send(b"x", f"id-{n}", 1, LONG_S) for n in range(3)]
        await link.request()
        began_s = time.monotonic()
        link.socket.close()
        assert {(await reply).status for reply in replies} == {UNAVAILABLE}
        assert "the connection was" in (await replies[0]).detail
        meanwhile = wire.send(b"meanwhile", "id-3", 1, LONG_S)
        later = await peer.accept()
        assert time.monotonic() - began_s < 0.1
        await asyncio.sleep(0.05)  # the attempt takes a while
        await later.greet()
        later.answer((await later.request())[0], b"here")
        assert Reply(0, "", b"here") == await meanwhile

    play(scene)


def test_nobody_is_there() -> None:
    """After a failed attempt calls fail at once, until one succeeds."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        peer.close()
        await _hang_up(wire, link)
        assert "Connect call failed" in (await wire.send(b"x", "id-1", 1, LONG_S)).detail
        began_s = time.monotonic()
        reply = await wire.send(b"x", "id-2", 1, LONG_S)
        assert reply.status == UNAVAILABLE
        assert "no connection to 127.0.0.1" in reply.detail
        assert time.monotonic() - began_s < 0.01

    play(scene)


def test_who_accepts_and_says_nothing() -> None:
    """An attempt without SETTINGS ends after a second, and with it the calls that wait."""

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        await _hang_up(wire, link)
        hasty = wire.send(b"x", "id-1", 1, 0.2)
        patient = wire.send(b"x", "id-2", 1, LONG_S)
        await peer.accept()
        assert (await hasty).status == 4
        assert (await patient).status == UNAVAILABLE
        assert "timed out" in (await patient).detail
        later = await (await peer.accept()).greet()  # it goes on trying
        async with asyncio.timeout(LONG_S):
            while True:
                reply = wire.send(b"x", "id-3", 1, LONG_S)
                if not reply.done():
                    break
                await asyncio.sleep(0.01)  # between two tries
        later.answer((await later.request())[0], b"here")
        assert (await reply).body == b"here"

    play(scene)


def test_a_peer_that_breaks_again_and_again_is_not_stormed() -> None:
    """Attempts are spaced out where connections do not last."""

    async def scene(peer: Peer, _: Http2Wire, link: Link) -> None:
        link.socket.close()
        began_s = time.monotonic()
        for _ in range(4):
            (await (await peer.accept()).greet()).socket.close()
        assert time.monotonic() - began_s >= 0.02 + 0.04 + 0.08

    play(scene)


HEAD = headers(1, OK_HEAD)
VIOLATIONS = {
    "HTTP/1.1 400 Bad Request\r\n\r\n": (b"HTTP/1.1 400 Bad Request\r\n\r\n", 6),
    "a frame that is too large": (frames.header(16_385, 0, 0, 1), 6),
    "HEADERS on a stream that nobody opened": (headers(3, OK_HEAD), 1),
    "HEADERS on stream 0": (headers(0, OK_HEAD), 1),
    "DATA on an even stream": (data(2, b"x"), 1),
    "headers of an unknown table": (headers(1, b"\xbe"), 9),
    "a table size": (headers(1, b"\x3f\xe1\x1f\x88"), 9),
    "padding without end": (HEAD + frames.frame(0, frames.PADDED, 1, b"\x09abc"), 1),
    "padding without length": (HEAD + frames.frame(0, frames.PADDED, 1), 6),
    "priority cut off": (frames.frame(1, 0x24, 1, b"abc"), 1),
    "CONTINUATION of nothing": (frames.frame(9, 4, 1, OK_HEAD), 1),
    "headers cut short": (frames.frame(1, 0, 1, OK_HEAD) + data(1, b"x"), 1),
    "CONTINUATION of another": (frames.frame(1, 0, 1, b"") + frames.frame(9, 4, 3, b""), 1),
    "endless CONTINUATION": (
        frames.frame(1, 0, 1, b"") + 65 * frames.frame(9, 0, 1, b"\0" * 16_384),
        11,
    ),
    "PUSH_PROMISE": (frames.frame(5, 4, 1, b"\0\0\0\2" + OK_HEAD), 1),
    "PING of 7 bytes": (frames.frame(6, 0, 0, b"1234567"), 6),
    "PING on a stream": (frames.frame(6, 0, 1, b"12345678"), 1),
    "SETTINGS on a stream": (frames.frame(4, 0, 1), 1),
    "SETTINGS of 5 bytes": (frames.frame(4, 0, 0, b"12345"), 6),
    "a frame size of 1": (frames.settings({5: 1}), 1),
    "a first window too large": (frames.settings({4: 2**31}), 3),
    "GOAWAY of 3 bytes": (frames.frame(7, 0, 0, b"123"), 6),
    "RST_STREAM of 3 bytes": (frames.frame(3, 0, 1, b"123"), 6),
    "WINDOW_UPDATE of 0": (frames.window_update(1, 0), 1),
    "WINDOW_UPDATE of 3 bytes": (frames.frame(8, 0, 1, b"123"), 6),
    "a window too large": (frames.window_update(0, 2**31 - 1), 3),
    "a stream's window too large": (frames.window_update(1, 2**31 - 1), 3),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_ends_the_connection(name: str) -> None:
    """Its calls are UNAVAILABLE and say why, the peer hears GOAWAY, and a new connection comes."""
    sent, code = VIOLATIONS[name]

    async def scene(peer: Peer, wire: Http2Wire, link: Link) -> None:
        reply = wire.send(b"x", "id-1", 1, LONG_S)
        await link.request()
        link.send(sent)
        assert (await reply).status == UNAVAILABLE
        assert "broke the HTTP/2 protocol" in (await reply).detail
        _, seen, _ = frames.read_goaway((await link.frame(frames.GOAWAY))[3])
        assert seen == code
        assert await link.is_closed()
        later = await (await peer.accept()).greet()
        assert (await _served(wire, later)).body == b"again"

    play(scene)


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", HEAD, b"\0" * 9, b""])
def test_who_answers_otherwise_is_no_server(greeting: bytes) -> None:
    """A wire that never was connected is an error that says so."""

    async def scene() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LoadError, match="does not answer as a gRPC server"):
            await Http2Wire.connect(f"127.0.0.1:{port}", 0.2)
        server.close()
        await server.wait_closed()

    asyncio.run(scene())


class Nowhere(asyncio.Transport):
    """A transport that swallows everything."""

    def write(self, data: object) -> None:
        """Swallow."""

    def close(self) -> None:
        """Do nothing: the connection may go on talking."""


class Nobody:
    """An owner that does nothing."""

    def retired(self, connection: Connection) -> None:
        """Ignore."""

    def freed(self) -> None:
        """Ignore."""

    def again(self, call: Call) -> None:
        """Have nobody take it back."""
        call.finish(Reply(UNAVAILABLE, "moved", None))


FRAMES = st.builds(
    frames.frame,
    st.sampled_from([0, 0, 1, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    st.integers(0, 255),
    st.sampled_from([0, 1, 1, 1, 2, 3, 5]),
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from([OK_HEAD, b"\x88", b"\0\0\0\1", b"\0\0\0\0\0\0\0\0", b"\0\0\0\0\1x"]),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAMES, max_size=12), st.integers(1, 50))
def test_any_frames_end_in_replies(sent: Sequence[bytes], size: int) -> None:
    """Whatever a peer sends, nothing is raised, and each call has just one outcome in the end."""

    async def scene() -> None:
        connection = Connection(Nobody(), b"")
        connection.connection_made(Nowhere())
        received = frames.settings({}) + b"".join(sent)
        loop = asyncio.get_running_loop()
        calls = [Call(f"id-{n}", 1, b"x", 1e12, loop.create_future()) for n in range(2)]
        for call in calls:
            connection.start(call, 1.0)
        for at in range(0, len(received), size):
            part = received[at : at + size]
            connection.get_buffer(-1)[: len(part)] = part
            connection.buffer_updated(len(part))
        connection.connection_lost(None)
        assert all(isinstance(call.reply.result(), Reply) for call in calls)

    asyncio.run(scene())
