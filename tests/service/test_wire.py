"""The service's own gRPC and HTTP/2, against grpcio's client and against frames by hand."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from service_under_test.refusal import Code, Refusal
from service_under_test.wire import frames as h2
from service_under_test.wire.calls import Answer, Call, Routes, Streaming, Unary
from service_under_test.wire.frames import ViolationError, frame
from service_under_test.wire.hpack import Decoder, literal
from service_under_test.wire.server import Server
from tests.service.backing import free_port
from tests.service.running import Replica, infer_request

Frame = tuple[int, int, int, bytes]  # kind, flags, stream, payload
REQUEST = b"\x83\x86" + b"".join(
    literal(name, value)
    for name, value in ((b":path", b"/t/Echo"), (b"content-type", b"application/grpc"))
)


class Served:
    """A server of the wire alone, in a thread of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.errors: list[str] = []
        self.codes: list[Code] = []
        routes: Routes = {
            b"/t/Echo": Unary(self._echo),
            b"/t/Fail": Unary(self._fail),
            b"/t/FailAtOnce": Unary(self._fail_at_once),
            b"/t/Each": Streaming(self._each),
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._run(self._make(routes))
        self._run(self._server.start(self.port))

    async def _make(self, routes: Routes) -> Server:
        return Server(routes, lambda what, error: self.errors.append(f"{what} {error}"))

    def _run(self, work):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def _echo(self, message: bytes, _: Call) -> Answer:
        return message

    def _fail(self, _: bytes, call: Call) -> Answer:
        call.on_end = self.codes.append

        async def fail() -> bytes:
            raise ZeroDivisionError("later")

        return fail()

    def _fail_at_once(self, _: bytes, call: Call) -> Answer:
        call.on_end = self.codes.append
        raise ZeroDivisionError("at once")

    async def _each(self, incoming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for message in incoming:
            if message == b"no":
                raise Refusal(Code.NOT_FOUND, "50 % – häßlich")
            yield message

    def end(self) -> None:
        """Stop the server, the loop and the thread."""
        self._run(self._server.stop(1.0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve while the test runs."""
    server = Served()
    yield server
    server.end()


@pytest.fixture
def channel(served: Served) -> Iterator[grpc.Channel]:
    """Connect grpcio's client."""
    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as connected:
        yield connected


class Peer:
    """A client that writes its frames by hand."""

    def __init__(self, port: int, settings: dict[int, int]) -> None:
        self._link = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.send(h2.PREFACE + h2.settings(settings))

    def send(self, data: bytes) -> None:
        """Send frames."""
        self._link.sendall(data)

    def receive(self, kind: int) -> Frame:
        """Wait for the next frame of a kind; others are skipped."""
        while True:
            head = self._exactly(h2.HEAD_SIZE)
            payload = self._exactly(int.from_bytes(head[:3], "big"))
            if head[3] == kind:
                return kind, head[4], int.from_bytes(head[5:], "big"), payload

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._link.recv(size - len(data))
            if not part:
                raise ConnectionError("the server hung up")
            data += part
        return data

    def close(self) -> None:
        """Hang up."""
        self._link.close()


@pytest.fixture
def connect(served: Served) -> Iterator[Callable[..., Peer]]:
    """Connect peers by hand."""
    peers: list[Peer] = []

    def one(**settings: int) -> Peer:
        numbers = {getattr(h2, name): value for name, value in settings.items()}
        peers.append(Peer(served.port, numbers))
        return peers[-1]

    yield one
    for peer in peers:
        peer.close()


def call_by_hand(stream: int, message: bytes) -> bytes:
    """Write a whole call."""
    body = struct.pack(">BL", 0, len(message)) + message
    return frame(h2.HEADERS, h2.END_HEADERS, stream, REQUEST) + frame(
        h2.DATA, h2.END_STREAM, stream, body
    )


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
@pytest.mark.parametrize("size", [0, 1, 100_000, 4_000_000])
def test_messages_of_any_size_go_round(
    channel: grpc.Channel, size: int, compression: grpc.Compression | None
) -> None:
    """A message comes back as it was, compressed or not, also where it exceeds every window."""
    message = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert channel.unary_unary("/t/Echo")(message, compression=compression, timeout=10) == message


def test_a_stream_goes_to_and_fro(channel: grpc.Channel) -> None:
    """Each message of a stream is answered before the next; a refusal says its words unharmed."""
    asked = iter([b"a", b"b" * 100_000, b"no"])
    call = channel.stream_stream("/t/Each")(asked, timeout=5)
    assert next(call) == b"a"
    assert next(call) == b"b" * 100_000
    with pytest.raises(grpc.RpcError) as refused:
        next(call)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "50 % – häßlich"


@pytest.mark.parametrize("method", ["Fail", "FailAtOnce"])
def test_an_unforeseen_error_is_internal_counted_and_told(
    served: Served, channel: grpc.Channel, method: str
) -> None:
    """Whatever is raised is INTERNAL to the caller, to who counts, and in the log."""
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary(f"/t/{method}")(b"", timeout=5)
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert served.codes == [Code.INTERNAL]
    assert len(served.errors) == 1
    assert channel.unary_unary("/t/Echo")(b"still here", timeout=5) == b"still here"


def test_what_is_not_served_is_unimplemented(channel: grpc.Channel) -> None:
    """An unknown method has the code that the standard says."""
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/t/Nothing")(b"", timeout=5)
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_peer_gets_no_more_than_it_has_room_for(connect: Callable[..., Peer]) -> None:
    """With a window of 3 bytes an answer of 10 comes in parts, each after a word of the peer."""
    peer = connect(INITIAL_WINDOW_SIZE=3)
    peer.send(call_by_hand(1, b"abcde"))
    came = b""
    for _ in range(4):
        part = peer.receive(h2.DATA)[3]
        assert 0 < len(part) <= 3
        came += part
        peer.send(h2.window_update(1, 3))
    assert came == b"\0\0\0\0\5abcde"
    assert peer.receive(h2.HEADERS)[1] & h2.END_STREAM


VIOLATIONS = {
    "a frame too large": (frame(h2.DATA, 0, 1, bytes(16_385)), h2.FRAME_SIZE_ERROR),
    "data on no stream": (frame(h2.DATA, 0, 1, b"x"), h2.PROTOCOL_ERROR),
    "an even stream": (frame(h2.HEADERS, h2.END_HEADERS, 2, REQUEST), h2.PROTOCOL_ERROR),
    "unreadable headers": (
        frame(h2.HEADERS, h2.END_HEADERS, 1, b"\xff\xff"),
        h2.COMPRESSION_ERROR,
    ),
    "headers torn apart": (
        frame(h2.HEADERS, 0, 1, REQUEST) + frame(h2.PING, 0, 0, bytes(8)),
        h2.PROTOCOL_ERROR,
    ),
    "too much padding": (
        frame(h2.HEADERS, h2.END_HEADERS | h2.PADDED, 1, b"\x09" + REQUEST[:3]),
        h2.PROTOCOL_ERROR,
    ),
    "a window too large": (h2.window_update(0, 2**31 - 1), h2.FLOW_CONTROL_ERROR),
    "a push": (frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, bytes(4)), h2.PROTOCOL_ERROR),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_who_breaks_the_protocol_is_told_and_left(
    connect: Callable[..., Peer], channel: grpc.Channel, violation: str
) -> None:
    """A violation ends its own connection with the code for it, and no other."""
    sent, code = VIOLATIONS[violation]
    peer = connect()
    peer.send(sent)
    payload = peer.receive(h2.GOAWAY)[3]
    assert int.from_bytes(payload[4:8], "big") == code
    with pytest.raises(ConnectionError):
        peer.receive(h2.DATA)
    assert channel.unary_unary("/t/Echo")(b"fine", timeout=5) == b"fine"


def test_padding_and_pieces_mean_nothing(connect: Callable[..., Peer]) -> None:
    """Headers in three frames, padded data and single bytes are one call like any other."""
    peer = connect()
    whole = (
        frame(h2.HEADERS, 0, 1, REQUEST[:5])
        + frame(h2.CONTINUATION, 0, 1, REQUEST[5:9])
        + frame(h2.CONTINUATION, h2.END_HEADERS, 1, REQUEST[9:])
        + frame(h2.DATA, h2.PADDED, 1, b"\x02\0\0\0\0\x01" + b"\0\0")
        + frame(h2.DATA, h2.END_STREAM, 1, b"y")
    )
    for place in range(len(whole)):
        peer.send(whole[place : place + 1])
    assert peer.receive(h2.DATA)[3] == b"\0\0\0\0\x01y"


def test_headers_are_read_as_the_standard_shows() -> None:
    """RFC 7541, C.4: three blocks with Huffman codes and a table that grows; then none."""
    decoder = Decoder()
    first = decoder.decode(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff"))
    assert first[b":authority"] == b"www.example.com"
    second = decoder.decode(bytes.fromhex("828684be5886a8eb10649cbf"))
    assert second[b":authority"] == b"www.example.com"
    assert second[b"cache-control"] == b"no-cache"
    third = decoder.decode(bytes.fromhex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"))
    assert third[b":authority"] == b"www.example.com"
    assert third[b"custom-key"] == b"custom-value"
    assert decoder.decode(b"\x20\x82") == {b":method": b"GET"}
    with pytest.raises(ViolationError):
        decoder.decode(b"\xbe")  # the table is empty now


def test_open_streams_do_not_hold_up_the_end(start: Callable[..., Replica]) -> None:
    """With a Watch and a reflection held open, and a call in flight, SIGTERM is obeyed in 3 s."""
    replica = start(PROPAGATION_S="1").ready()
    watch = replica.health.Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    enough = threading.Event()

    def ask() -> Iterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        enough.wait(20)

    talk = reflection_pb2_grpc.ServerReflectionStub(replica.channel).ServerReflectionInfo(ask())
    assert next(talk).list_services_response.service
    call = replica.stub.ModelInfer.future(infer_request(), timeout=5)
    told_s = time.monotonic()
    replica.terminate()
    call.result(timeout=5)
    assert replica.exit_code(within_s=3) == 0
    assert time.monotonic() - told_s < 3
    enough.set()
    with suppress(grpc.RpcError):
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
