"""Both engines against a real grpc.aio server: the same answers, statuses and messages."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from harness.load.http2.wire import Http2Wire
from harness.load.oip import Workload
from harness.load.wire import GrpcWire, Reply
from tests.load.grpc_echo import Echo, serving
from tests.load.serving import Served

LIMIT_S = 10.0
UNAVAILABLE, DEADLINE = 14, 4
Wires = type[GrpcWire] | type[Http2Wire]
Scene = Callable[[GrpcWire | Http2Wire, Echo], Awaitable[None]]


@pytest.fixture(params=[Http2Wire, GrpcWire], ids=["http2", "grpc"])
def wires(request: pytest.FixtureRequest) -> Wires:
    """Name the engine."""
    return request.param  # type: ignore[no-any-return]


def play(wires: Wires, scene: Scene, options: tuple[tuple[str, int], ...] = ()) -> None:
    """Play a scene between a wire and a real server."""

    async def both() -> None:
        echo = Echo()
        async with serving(echo, options=options) as (_, address):
            wire = await wires.connect(address, LIMIT_S)
            try:
                await scene(wire, echo)
            finally:
                await wire.close()

    asyncio.run(both())


def test_a_body_of_any_size_comes_back(wires: Wires) -> None:
    """From nothing to 1 MB, and just at, below and above the size of one frame."""

    async def scene(wire: GrpcWire | Http2Wire, _: Echo) -> None:
        for size in (0, 1, 12_345, 16_378, 16_379, 16_380, 65_530, 65_531, 1_000_000, 4_000_000):
            body = os.urandom(size)
            assert Reply(0, "", body) == await wire.send(body, "id-1", 1, LIMIT_S)

    play(wires, scene)


def test_64_mb_are_in_flight_at_once(wires: Wires) -> None:
    """Many large messages share the windows, and each comes back as it was."""

    async def scene(wire: GrpcWire | Http2Wire, _: Echo) -> None:
        bodies = [bytes([n]) * 1_000_000 for n in range(64)]
        replies = [wire.send(body, "id-1", 1, 60.0) for body in bodies]
        for body, reply in zip(bodies, replies, strict=True):
            assert Reply(0, "", body) == await reply

    play(wires, scene)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code.value[0]])
def test_each_status_comes_with_its_message(wires: Wires, code: grpc.StatusCode) -> None:
    """Also one that has to be percent-encoded on its way."""
    text = "100 % naïve – 漢字\n\ttwo words"

    async def scene(wire: GrpcWire | Http2Wire, _: Echo) -> None:
        body = f"abort {code.name} {text}".encode()
        assert Reply(code.value[0], text, None) == await wire.send(body, "id-1", 1, LIMIT_S)

    play(wires, scene)


def test_an_exception_in_the_service_is_told(wires: Wires) -> None:
    """What the server makes of it reaches the caller."""

    async def scene(wire: GrpcWire | Http2Wire, _: Echo) -> None:
        reply = await wire.send(b"raise trouble", "id-1", 1, LIMIT_S)
        assert (reply.status, reply.body) == (2, None)
        assert "trouble" in reply.detail

    play(wires, scene)


def test_a_server_without_the_method(wires: Wires) -> None:
    """It answers in trailers alone: UNIMPLEMENTED."""

    async def scene() -> None:
        async with serving(None) as (_, address):
            wire = await wires.connect(address, LIMIT_S)
            reply = await wire.send(b"x", "id-1", 1, LIMIT_S)
            await wire.close()
        assert Reply(12, "Method not found!", None) == reply

    asyncio.run(scene())


def test_metadata_says_who_asks(wires: Wires) -> None:
    """Id, attempt and what is left of the deadline reach the service."""

    async def scene(wire: GrpcWire | Http2Wire, echo: Echo) -> None:
        await wire.send(b"x", "test-0000042", 3, 7.5)
        assert echo.metadata["x-request-id"] == "test-0000042"
        assert echo.metadata["x-mayfly-attempt"] == "3"
        assert echo.left_s == pytest.approx(7.5, abs=0.5)

    play(wires, scene)


def test_a_deadline_ends_the_call_on_both_sides(wires: Wires) -> None:
    """The caller hears of it in time, the service is cancelled, and the wire goes on."""

    async def scene(wire: GrpcWire | Http2Wire, echo: Echo) -> None:
        began_s = time.monotonic()
        late = wire.send(b"sleep 60", "id-1", 1, 0.2)
        prompt = wire.send(b"sleep 0.4", "id-2", 1, 2.0)
        reply = await late
        assert (reply.status, reply.body) == (DEADLINE, None)
        assert "Deadline Exceeded" in reply.detail
        assert 0.19 <= time.monotonic() - began_s < 0.39
        async with asyncio.timeout(LIMIT_S):
            await echo.cancelled.wait()
        assert (await prompt).status == 0
        assert (await wire.send(b"x", "id-3", 1, LIMIT_S)).status == 0

    play(wires, scene)


def test_a_server_that_reads_slowly(wires: Wires, golden: Path) -> None:
    """One that stands still while 6 MB come in answers all of it afterwards."""
    workload = Workload.load(golden, "m", 1, 1e-5)
    ids = [f"id-{n}" for n in range(500)]  # of more than 1,000 grpc itself would cancel some

    async def scene(server: Served) -> None:
        wire = await wires.connect(server.address, LIMIT_S)
        os.kill(server.pid, signal.SIGSTOP)
        cases = [(name, workload.case(n)) for n, name in enumerate(ids)]
        replies = [wire.send(workload.body(case, name), name, 1, 60.0) for name, case in cases]
        await asyncio.sleep(0.3)  # in which the socket's buffers fill
        os.kill(server.pid, signal.SIGCONT)
        for (name, case), reply in zip(cases, replies, strict=True):
            answer = await reply
            assert answer.body is not None, answer
            assert workload.judge(case, name, answer.body).correct == 1
        await wire.close()

    with Served(golden) as server:
        asyncio.run(scene(server))


def test_a_server_that_is_killed_and_comes_back(wires: Wires, golden: Path) -> None:
    """Calls in flight and calls made meanwhile are UNAVAILABLE at once; then all is well again."""

    async def scene(first: Served) -> None:
        first.behave("silent")
        wire = await wires.connect(first.address, LIMIT_S)
        replies = [wire.send(b"x", f"id-{n}", 1, 30.0) for n in range(50)]
        await asyncio.sleep(0.1)  # in which they reach the server
        began_s = time.monotonic()
        first.kill()
        assert {(await reply).status for reply in replies} == {UNAVAILABLE}
        reply = await wire.send(b"x", "id-51", 1, 30.0)
        assert reply.status == UNAVAILABLE
        assert reply.detail
        assert time.monotonic() - began_s < 1.0
        with first.restart():
            async with asyncio.timeout(LIMIT_S):
                while True:
                    if (await wire.send(b"x", "id-52", 1, 30.0)).status != UNAVAILABLE:
                        break
                    await asyncio.sleep(0.01)  # between two tries
        await wire.close()

    with Served(golden) as first:
        asyncio.run(scene(first))


def test_a_graceful_stop_under_load_loses_no_call() -> None:
    """A server that says GOAWAY finishes its calls; the others go to the one that follows it.

    Now and then a stopping grpc.aio server cancels, or forgets, a call that it had accepted; that
    is no client's doing, and GrpcWire meets it as often. So not all of 400 need to be OK.
    """

    async def scene() -> None:
        async with serving(Echo()) as (old, address):
            wire = await Http2Wire.connect(address, LIMIT_S)
            replies: list[Awaitable[Reply]] = []
            async with serving(Echo(), int(address.rpartition(":")[2])):
                for n in range(400):
                    replies.append(wire.send(b"sleep 0.05", f"id-{n}", 1, 2.0))
                    if n == 100:
                        stopping = asyncio.create_task(old.stop(LIMIT_S))
                    await asyncio.sleep(0.002)  # the load's rhythm
                counts = Counter([(await reply).status for reply in replies])
                await stopping
                await wire.close()
        assert counts[0] >= 397
        assert counts[UNAVAILABLE] == 0

    asyncio.run(scene())


def test_closing_ends_what_is_in_flight() -> None:
    """It is CANCELLED, and nothing hangs."""

    async def scene(wire: GrpcWire | Http2Wire, _: Echo) -> None:
        reply = wire.send(b"sleep 60", "id-1", 1, 60.0)
        await wire.close()
        assert (await reply).status == 1
        assert (await wire.send(b"x", "id-2", 1, 60.0)).status == UNAVAILABLE

    play(Http2Wire, scene)
