"""No toxic in force: the proxy is a wire."""

import random
import socket
import threading
import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proxy.echo import echoing
from tests.proxy.program import Program, Route
from tests.proxy.transfer import abort, is_reset, receive, sending, transit_s

CHUNKS = st.lists(st.integers(1, 40_000), min_size=1, max_size=12)
TOXIC = st.sampled_from(
    [
        {},
        {"kind": "latency", "latency": 3, "jitter": 3},
        {"kind": "latency", "latency": 2, "jitter": 2, "per": "chunk", "toxicity": 0.5},
        {"kind": "slicer", "average_size": 700, "size_variation": 600, "delay": 1},
        {"kind": "bandwidth", "rate": 20_000, "per": "chunk", "toxicity": 0.5},
    ]
)


@given(sizes=CHUNKS, toxic=TOXIC, seed=st.integers(0, 2**32), reads=st.integers(1, 100_000))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_bytes_are_exact(
    route: Route, sizes: list[int], toxic: dict[str, object], seed: int, reads: int
) -> None:
    """However it is sent, delayed, sliced or read, what arrives is what was sent, then FIN.

    The toxic is removed while data is on its way, and none of it is lost.
    """
    data = random.Random(seed).randbytes(sum(sizes))  # noqa: S311
    pair = route.connect()
    if toxic:
        attributes = {name: value for name, value in toxic.items() if name != "kind"}
        route.add(str(toxic["kind"]), "upstream", **attributes)

    def send() -> None:
        start = 0
        for size in sizes:
            pair.client.sendall(data[start : start + size])
            start += size
        pair.client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    got = receive(pair.server, len(data) // 2)
    if toxic:
        route.remove()
    while part := pair.server.recv(reads):
        got += part
    sender.join()
    pair.close()

    assert data == got


def test_half_closed(route: Route) -> None:
    """After the client's FIN the server may still answer; then both sides are closed."""
    pair = route.connect()
    pair.client.sendall(b"question")
    pair.client.shutdown(socket.SHUT_WR)

    assert receive(pair.server, 100) == b"question"
    pair.server.sendall(b"answer")
    pair.server.close()
    assert receive(pair.client, 100) == b"answer"
    await_open(route, 0)


def await_open(route: Route, connections: int) -> None:
    """Wait until so many connections are open."""
    give_up_s = time.monotonic() + 10
    while (seen := route.figures()["connections_open"]) != connections:
        assert time.monotonic() < give_up_s, f"expected {connections} open, saw {seen}"


def test_reset_is_handed_on(route: Route, stream: str) -> None:
    """A reset on one side is a reset on the other."""
    sender, receiver = route.connect().ends(stream)

    abort(sender)

    assert is_reset(receiver)


def test_unreachable_upstream(route: Route) -> None:
    """Where the upstream refuses, the client is reset, and nothing is kept."""
    route.upstream.close()

    assert is_refused(route)
    await_open(route, 0)


def test_no_way_to_the_upstream(route: Route) -> None:
    """Where no packet may even leave (a broadcast address), the client is reset as well."""
    route.ask("PATCH", body={"upstream": "255.255.255.255:1"})

    assert is_refused(route)


def is_refused(route: Route) -> bool:
    """Whether a client is reset, be it while it connects or be it then."""
    try:
        with route.dial() as client:
            return is_reset(client)
    except ConnectionResetError:
        return True


def test_upstream_by_name(program: Program, route: Route) -> None:
    """An upstream may be a name that is looked up; one that does not exist resets the client."""
    port = route.upstream.getsockname()[1]
    route.ask("PATCH", body={"upstream": f"localhost:{port}"})
    assert transit_s(route.connect(), "upstream") < 1

    route.ask("PATCH", body={"upstream": "no-such-name.invalid:1"})
    assert is_refused(route)
    assert program.ask("GET", "/version").status == 200


def test_two_hundred_connections(route: Route) -> None:
    """200 at once each get their own bytes back, and the counters tell all of them."""
    with echoing(route):
        clients = [route.dial() for _ in range(200)]
        for i, client in enumerate(clients):
            client.sendall(f"{i:>9}!".encode() * 2000)
        wrong = [
            i
            for i, client in enumerate(clients)
            if receive(client, 20_000) != f"{i:>9}!".encode() * 2000
        ]
        figures = route.figures()
        for client in clients:
            client.close()

    assert not wrong
    assert figures["connections_open"] == figures["connections_accepted"] == 200
    assert figures["bytes_up"] == figures["bytes_down"] == 200 * 20_000


def send_until_stuck(sock: socket.socket, at_most: int) -> int:
    """Send until nothing is taken for half a second; how many bytes were."""
    sock.settimeout(0.5)
    sent = 0
    with suppress(TimeoutError):
        while sent < at_most:
            sent += sock.send(bytes(65536))
    sock.settimeout(10)
    return sent


@pytest.mark.parametrize("toxic", [None, "latency"])
def test_slow_reader_holds_the_sender_up(route: Route, stream: str, toxic: str | None) -> None:
    """A reader that does not read stops the sender; the proxy's memory stays bounded.

    Beside what the kernel keeps it holds back 256 KiB and a chunk; with latency 64 MiB more, for
    that is what its throughput takes.
    """
    pair, offered = route.connect(), 200_000_000
    sender, receiver = pair.ends(stream)
    if toxic:
        route.add("latency", stream, latency=1)
    before_mb = route.program.memory_mb()

    sent = send_until_stuck(sender, offered)
    assert sent < offered

    figures = route.figures()
    allowed = (64 + 0.25 + 0.1) * 2**20 if toxic else 0.35 * 2**20
    assert figures["bytes_held"] < allowed
    assert route.program.memory_mb() - before_mb < allowed / 1e6 * 1.3 + 3
    if toxic:
        route.remove()
    with sending(sender, b"end"):
        assert receive(receiver, sent + 3)[-4:] == b"\0end"
    assert route.figures()["bytes_held"] == 0


def test_memory_of_all_connections_is_bounded(route: Route) -> None:
    """Five stuck connections with latency hold back 256 MiB and 256 KiB each, not 320 MiB."""
    pairs = [route.connect() for _ in range(5)]
    route.add("latency", "upstream", latency=1)

    sent = sum(send_until_stuck(pair.client, 80_000_000) for pair in pairs)

    assert sent > 256 * 2**20
    assert route.figures()["bytes_held"] < (256 + 5 * 0.35) * 2**20
    route.remove()
    for pair in pairs:
        pair.close()
    await_open(route, 0)


def test_others_go_on_beside_a_slow_reader(route: Route) -> None:
    """A connection that is stuck does not hold up another."""
    stuck, quick = route.connect(), route.connect()
    assert send_until_stuck(stuck.client, 200_000_000) < 200_000_000

    assert transit_s(quick, "upstream") < 0.2
    assert transit_s(quick, "downstream") < 0.2
