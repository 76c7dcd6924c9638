"""Single streams, against a scripted peer: statuses, resets, odd frames, windows, deadlines."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from harness.load.http2 import frames, streams
from harness.load.http2.headers import literal
from harness.load.http2.wire import Http2Wire
from harness.load.wire import Reply
from tests.load.http2_peer import (
    OK_HEAD,
    OK_TRAILERS,
    Link,
    Peer,
    data,
    headers,
    message,
    play,
)

END = frames.END_STREAM
INTERNAL, UNAVAILABLE, DEADLINE = 13, 14, 4
LONG_S = 10.0


@pytest.mark.parametrize(
    ("code", "status"),
    [(0, 13), (1, 13), (2, 13), (3, 13), (5, 13), (7, 14), (8, 1), (11, 8), (12, 7), (99, 13)],
)
def test_a_reset_stream(code: int, status: int) -> None:
    """RST_STREAM becomes the status that PROTOCOL-HTTP2.md says, and the wire goes on."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        reply = wire.send(b"x", "id-1", 1, LONG_S)
        stream_id, _, _ = await link.request()
        link.send(headers(stream_id, OK_HEAD), frames.rst_stream(stream_id, code))
        assert (await reply).status == status
        assert frames.error_name(code) in (await reply).detail
        reply = wire.send(b"y", "id-2", 1, LONG_S)
        stream_id, _, _ = await link.request()
        link.answer(stream_id, b"y too")
        assert Reply(0, "", b"y too") == await reply

    play(scene)


@pytest.mark.parametrize(
    ("http", "status"),
    [
        *((400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14)),
        *((200, 2), (204, 2), (301, 2), (500, 2)),
    ],
)
def test_a_response_that_knows_no_grpc(http: int, status: int) -> None:
    """Its HTTP status becomes the one that http-grpc-status-mapping.md says, body or not."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        head = literal(b":status", str(http).encode())
        reply = wire.send(b"x", "id-1", 1, LONG_S)
        stream_id, _, _ = await link.request()
        link.send(headers(stream_id, head), data(stream_id, b"<html>sorry</html>", END))
        assert Reply(status, f"HTTP status {http} without grpc-status", None) == await reply
        reply = wire.send(b"x", "id-2", 1, LONG_S)
        stream_id, _, _ = await link.request()
        link.send(headers(stream_id, head, END))
        assert (await reply).status == status

    play(scene)


OK_MESSAGE = message(b"answer")
HEAD, TRAILERS = headers(1, OK_HEAD), headers(1, OK_TRAILERS, END)
UNAVAILABLE_HEAD = literal(b":status", b"204") + literal(b"grpc-status", b"14")


@pytest.mark.parametrize(
    ("parts", "reply"),
    [
        ((HEAD, data(1, OK_MESSAGE), TRAILERS), Reply(0, "", b"answer")),
        ((HEAD, data(1, OK_MESSAGE[:3]), data(1, OK_MESSAGE[3:]), TRAILERS), (0, "")),
        ((HEAD, data(1, b""), data(1, OK_MESSAGE), data(1, b""), TRAILERS), (0, "")),
        ((headers(1, literal(b":status", b"103")), HEAD, data(1, OK_MESSAGE), TRAILERS), (0, "")),
        ((headers(1, UNAVAILABLE_HEAD, END),), (UNAVAILABLE, "")),
        ((HEAD, TRAILERS), (INTERNAL, "no message")),
        ((headers(1, OK_HEAD + OK_TRAILERS, END),), (INTERNAL, "no message")),
        ((HEAD, data(1, message(b"zip", 1)), TRAILERS), (INTERNAL, "compressed")),
        ((HEAD, data(1, OK_MESSAGE[:-1]), TRAILERS), (INTERNAL, "6 bytes was announced, 5 came")),
        ((HEAD, data(1, OK_MESSAGE * 2), TRAILERS), (INTERNAL, "6 bytes was announced")),
        ((HEAD, data(1, OK_MESSAGE, END)), (2, "without grpc-status")),
        ((HEAD, headers(1, literal(b"grpc-status", b"x"), END)), (2, "")),
        ((HEAD, headers(1, literal(b"grpc-status", b"77"), END)), (2, "")),
        ((data(1, OK_MESSAGE),), (INTERNAL, "DATA before HEADERS")),
        ((HEAD, headers(1, OK_TRAILERS)), (INTERNAL, "trailers that do not end")),
    ],
)
def test_what_makes_an_answer(parts: Sequence[bytes], reply: Reply | tuple[int, str]) -> None:
    """One whole uncompressed message with status 0; all else is an error that says why."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        pending = wire.send(b"x", "id-1", 1, LONG_S)
        await link.request()
        link.send(*parts)
        seen = await pending
        if isinstance(reply, Reply):
            assert reply == seen
        else:
            assert (reply[0], True) == (seen.status, reply[1] in seen.detail)

    play(scene)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_odd_frames(size: int) -> None:
    """Padding, priority, CONTINUATION, PING, unknown frames and any slicing by TCP are all one."""
    kept = frames.PADDED | frames.PRIORITISED
    padded = b"\x05" + b"\x80\0\0\0\x10" + OK_HEAD[:3] + b"\0" * 5
    ping = frames.frame(frames.PING, 0, 0, b"12345678")
    parts = (
        frames.frame(frames.HEADERS, kept, 1, padded),
        frames.frame(frames.CONTINUATION, 0, 1, OK_HEAD[3:4]),
        frames.frame(frames.CONTINUATION, 0, 1, b""),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, OK_HEAD[4:]),
        frames.frame(0xFA, 0xFF, 1, b"unknown"),
        frames.frame(frames.PRIORITY, 0, 1, b"\0\0\0\0\x10"),
        frames.settings({0xABCD: 7, 6: 100}),
        frames.frame(frames.PING, frames.ACK, 0, b"not ours"),
        frames.frame(frames.DATA, frames.PADDED, 1, b"\x04" + OK_MESSAGE[:6] + b"\0" * 4),
        ping,
        frames.frame(frames.DATA, frames.PADDED, 1, b"\x00" + OK_MESSAGE[6:]),
        frames.frame(frames.HEADERS, kept | frames.END_HEADERS | END, 1, b"\0" * 6 + OK_TRAILERS),
    )

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        reply = wire.send(b"x", "id-1", 1, LONG_S)
        await link.request()
        whole = b"".join(parts)
        for at in range(0, len(whole), size):
            link.send(whole[at : at + size])
            await asyncio.sleep(0)
        assert Reply(0, "", b"answer") == await reply
        assert await link.frame(frames.PING) == (frames.PING, frames.ACK, 0, b"12345678")

    play(scene)


def test_a_request_leaves_in_one_go_at_once() -> None:
    """HEADERS and DATA are at the peer before the event loop turns."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        await link.frame(frames.SETTINGS)
        await link.frame(frames.SETTINGS)  # the acknowledgement: nothing else is on its way
        wire.send(b"b" * 12_000, "id-1", 1, LONG_S)
        seen = link.socket.recv(65_536)
        assert seen.endswith(frames.header(12_005, 0, END, 1) + message(b"b" * 12_000))

    play(scene)


def test_a_stream_window_of_0_and_below() -> None:
    """A message waits for its stream's window, also for one that SETTINGS made negative."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        body = b"b" * 95
        reply = wire.send(body, "id-1", 1, LONG_S)
        await link.frame(frames.HEADERS)
        link.send(frames.settings({frames.INITIAL_WINDOW_SIZE: 40}))
        assert (await link.frame(frames.DATA))[3] == message(body)[:40]
        link.send(frames.settings({frames.INITIAL_WINDOW_SIZE: 10}))  # now it is -30
        link.send(frames.window_update(1, 30), frames.window_update(1, 50))
        assert (await link.frame(frames.DATA))[1:] == (0, 1, message(body)[40:90])
        link.send(frames.window_update(1, 1000))
        assert (await link.frame(frames.DATA))[1:] == (END, 1, message(body)[90:])
        link.answer(1, b"all")
        assert Reply(0, "", b"all") == await reply

    play(scene, {frames.INITIAL_WINDOW_SIZE: 0})


def test_the_connection_window() -> None:
    """65,535 bytes in all, first come, first served, until the peer lets more go."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        replies = [wire.send(b"b" * 59_995, f"id-{n}", 1, LONG_S) for n in range(2)]
        sizes = [len((await link.frame(frames.DATA))[3]) for _ in range(5)]
        assert sizes == [16_384] * 3 + [10_848, 5_535]
        link.send(frames.window_update(0, 1), frames.window_update(0, 10))
        assert [len((await link.frame(frames.DATA))[3]) for _ in range(2)] == [1, 10]
        link.send(frames.window_update(0, 100_000))
        rest = [await link.frame(frames.DATA) for _ in range(4)]
        assert sum(len(each[3]) for each in rest) == 60_000 - 5_535 - 11
        assert [each[1] for each in rest] == [0, 0, 0, END]
        link.answer(3, b"")
        link.answer(1, b"")
        assert [(await reply).status for reply in replies] == [0, 0]

    play(scene)


def test_frames_as_large_as_the_peer_allows() -> None:
    """SETTINGS_MAX_FRAME_SIZE makes one frame of what would be three."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        wire.send(b"b" * 40_000, "id-1", 1, LONG_S)
        assert len((await link.frame(frames.DATA))[3]) == 40_005

    play(scene, {frames.MAX_FRAME_SIZE: 50_000})


def test_an_answer_that_does_not_wait_for_the_request() -> None:
    """What is left of the message is not sent, and the peer is told."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        reply = wire.send(b"b" * 100_000, "id-1", 1, LONG_S)
        await link.frame(frames.HEADERS)
        link.send(headers(1, literal(b":status", b"200") + literal(b"grpc-status", b"8"), END))
        assert (await reply).status == 8
        assert (await link.frame(frames.RST_STREAM))[2] == 1
        link.send(frames.window_update(0, 200_000), frames.window_update(1, 200_000))
        wire.send(b"next", "id-2", 1, LONG_S)
        assert (await link.frame(frames.DATA))[2:] == (3, message(b"next"))

    play(scene)


def test_streams_at_a_time() -> None:
    """Beyond SETTINGS_MAX_CONCURRENT_STREAMS calls wait, but not beyond their deadline."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        first = wire.send(b"first", "id-1", 1, LONG_S)
        late = wire.send(b"late", "id-2", 1, 0.1)
        third = wire.send(b"third", "id-3", 1, LONG_S)
        assert (await link.request())[2] == b"first"
        assert (await late).status == DEADLINE
        link.answer(1, b"1")
        assert (await first).body == b"1"
        assert (await link.request())[::2] == (3, b"third")
        link.answer(3, b"3")
        assert (await third).body == b"3"

    play(scene, {frames.MAX_CONCURRENT_STREAMS: 1})


def test_more_streams_once_the_peer_allows() -> None:
    """A raised limit lets those go that wait."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        for n in range(3):
            wire.send(b"x", f"id-{n}", 1, LONG_S)
        await asyncio.sleep(0.05)  # in which nothing may come
        link.send(frames.settings({frames.MAX_CONCURRENT_STREAMS: 2}))
        assert [(await link.request())[0] for _ in range(2)] == [1, 3]
        link.send(frames.settings({frames.MAX_CONCURRENT_STREAMS: 3}))
        assert (await link.request())[0] == 5

    play(scene, {frames.MAX_CONCURRENT_STREAMS: 0})


def test_a_deadline_resets_the_stream() -> None:
    """RST_STREAM(CANCEL) goes out, and what the peer still says on the stream is ignored."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        began_s = time.monotonic()
        patient = wire.send(b"patient", "id-1", 1, LONG_S)
        hasty = wire.send(b"hasty", "id-2", 1, 0.1)
        assert Reply(DEADLINE, "Deadline Exceeded", None) == await hasty
        assert 0.1 <= time.monotonic() - began_s < 0.3
        reset = await link.frame(frames.RST_STREAM)
        assert reset[2:] == (3, frames.WORD.pack(frames.CANCEL))
        link.answer(3, b"too late")
        link.send(frames.window_update(3, 10), frames.rst_stream(3, 0))
        link.answer(1, b"in time")
        assert (await patient).body == b"in time"

    play(scene)


def test_a_server_that_sees_the_deadline_first() -> None:
    """Its RST_STREAM(CANCEL) after the deadline is DEADLINE_EXCEEDED, as it is for gRPC."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        sent_s = time.monotonic()
        reply = wire.send(b"x", "id-1", 1, 0.05)
        await link.request()
        link.send(frames.rst_stream(1, frames.CANCEL))
        while time.monotonic() < sent_s + 0.06:  # so that both are there in one turn of the loop
            pass
        assert (await reply).status == DEADLINE

    play(scene)


def test_a_caller_who_gave_up() -> None:
    """A cancelled call harms nobody, and its stream ends with its deadline."""

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        wire.send(b"x", "id-1", 1, 0.1).cancel()
        answered = wire.send(b"x", "id-2", 1, LONG_S)
        answered.cancel()
        link.answer(3, b"nobody waits")
        assert (await link.frame(frames.RST_STREAM))[2] == 1

    play(scene)


def test_windows_are_topped_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """When half of the connection's window is used, the peer gets it back, padding included."""
    monkeypatch.setattr(streams, "CONNECTION_WINDOW", 20_000)

    async def scene(_: Peer, wire: Http2Wire, link: Link) -> None:
        wire.send(b"x", "id-1", 1, LONG_S)
        first = await link.frame(frames.WINDOW_UPDATE)
        assert first[2:] == (0, frames.WORD.pack(2**30 - 65_535))
        await link.request()
        padded = frames.frame(frames.DATA, frames.PADDED, 1, b"\xff" + b"\0" * 9999)
        link.send(HEAD, padded, data(1, b"b"))
        assert (await link.frame(frames.WINDOW_UPDATE))[2:] == (0, frames.WORD.pack(10_001))

    play(scene)
