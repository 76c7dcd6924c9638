"""Toxics that make data late and lose none of it."""

import socket
import time

import pytest

from tests.proxy.program import Pair, Route
from tests.proxy.transfer import receive, sending, transit_s, usual_transit_s


def test_latency(route: Route, old: Pair | None, stream: str) -> None:
    """100 ms are 100 to 160 ms in that direction, less than 30 ms in the other, and afterwards."""
    other = {"upstream": "downstream", "downstream": "upstream"}[stream]
    with route.toxic("latency", stream, latency=100):
        pair = old or route.connect()
        late_s, other_s = usual_transit_s(pair, stream), usual_transit_s(pair, other)
        touched = route.touched()

    assert 0.1 <= late_s <= 0.16
    assert other_s < 0.03
    assert touched == 5
    assert usual_transit_s(pair, stream) < 0.03


def test_jitter(route: Route) -> None:
    """Jitter spreads delays to both sides, within its limits."""
    pair = route.connect()
    with route.toxic("latency", latency=40, jitter=30):
        delays_s = [transit_s(pair, "downstream") for _ in range(20)]

    assert min(delays_s) >= 0.01
    assert min(delays_s) < 0.04 < max(delays_s)
    assert max(delays_s) < 0.12


def test_latency_delivers_when_removed(route: Route, old: Pair | None, stream: str) -> None:
    """What is on its way when the latency goes arrives at once, in order, and is all there."""
    route.add("latency", stream, latency=60_000)
    sender, receiver = (old or route.connect()).ends(stream)
    for i in range(10):
        sender.sendall(f"{i};".encode())
    while route.touched() == 0 or route.figures()["bytes_held"] < 20:
        pass
    began_s = time.monotonic()

    route.remove()
    sender.sendall(b"last")

    assert receive(receiver, 24) == b"0;1;2;3;4;5;6;7;8;9;last"
    assert time.monotonic() - began_s < 1


def test_latency_is_no_limit_of_throughput(route: Route) -> None:
    """With 200 ms one way 60 MB take less than 3 s; 1,800 chunks one by one would take 360 s."""
    pair, data = route.connect(), bytes(60_000_000)
    with route.toxic("latency", "upstream", latency=200):
        began_s = time.monotonic()
        with sending(pair.client, data):
            assert len(receive(pair.server, len(data))) == len(data)
        took_s = time.monotonic() - began_s

    assert 0.2 < took_s < 3


def test_latency_changes(route: Route) -> None:
    """A PATCH acts on existing connections from the next byte on."""
    pair = route.connect()
    with route.toxic("latency", latency=150):
        assert route.ask("PATCH", "/toxics/t", {"attributes": {"latency": 50}}).status == 200
        assert 0.05 <= usual_transit_s(pair, "downstream") <= 0.1


def test_bandwidth(route: Route, old: Pair | None, stream: str) -> None:
    """At 500 KB/s 200,000 bytes take 0.4 s, give or take 15 %; afterwards none of that."""
    with route.toxic("bandwidth", stream, rate=500):
        pair = old or route.connect()
        limited_s = transit_s(pair, stream, bytes(200_000))
        assert route.touched() > 0

    assert limited_s == pytest.approx(0.4, rel=0.15)
    assert transit_s(pair, stream, bytes(200_000)) < 0.1


def test_no_bandwidth(route: Route) -> None:
    """At 0 KB/s nothing passes; once it is removed all arrives."""
    pair = route.connect()
    route.add("bandwidth", rate=0)
    pair.server.sendall(b"hello")
    pair.client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        pair.client.recv(1)
    pair.client.settimeout(10)

    route.remove()

    assert receive(pair.client, 5) == b"hello"


def test_slicer(route: Route, old: Pair | None, stream: str) -> None:
    """1,000 bytes come as seven pieces or more, 30 ms apart, of 50 to 150 bytes; then as one.

    A reader that this machine holds up gets two at once, so not each piece is seen alone.
    """
    with route.toxic("slicer", stream, average_size=100, size_variation=50, delay=30_000):
        pair = old or route.connect()
        sizes, took_s = segments(pair, stream)
        assert route.touched() == 1

    assert sum(sizes) == 1000
    assert len(sizes) >= 4
    assert 50 <= min(sizes[:-1]) <= 150
    assert took_s >= 6 * 0.03
    assert segments(pair, stream)[0] == [1000]


def segments(pair: Pair, stream: str) -> tuple[list[int], float]:
    """The sizes in which 1,000 bytes arrive, and how long that takes."""
    sender, receiver = pair.ends(stream)
    began_s, sizes = time.monotonic(), list[int]()
    sender.sendall(bytes(1000))
    while sum(sizes) < 1000:
        sizes.append(len(receiver.recv(1000)))
    return sizes, time.monotonic() - began_s


def test_slow_close(route: Route, old: Pair | None, stream: str) -> None:
    """Data is not late, but FIN is, by 200 to 300 ms."""
    with route.toxic("slow_close", stream, delay=200):
        pair = old or route.connect()
        assert transit_s(pair, stream) < 0.1
        assert 0.2 <= close_s(pair, stream) <= 0.3
        assert route.touched() == 1

    assert close_s(route.connect(), stream) < 0.05


def test_slow_close_removed(route: Route) -> None:
    """A FIN that is held back when the toxic goes is handed on at once."""
    pair = route.connect()
    route.add("slow_close", "upstream", delay=60_000)
    pair.client.shutdown(socket.SHUT_WR)
    while not route.touched():
        pass

    route.remove()

    assert pair.server.recv(1) == b""


def close_s(pair: Pair, stream: str) -> float:
    """How long a FIN takes one way."""
    sender, receiver = pair.ends(stream)
    began_s = time.monotonic()
    sender.shutdown(socket.SHUT_WR)
    assert receiver.recv(1) == b""
    return time.monotonic() - began_s


def test_toxics_add_up(route: Route) -> None:
    """Two toxics of one direction act one after the other; removing one leaves the other."""
    pair = route.connect()
    body = {"name": "second", "type": "latency", "attributes": {"latency": 50}}
    with route.toxic("latency", latency=60):
        route.ask("POST", "/toxics", body)
        assert 0.11 <= usual_transit_s(pair, "downstream") <= 0.16

    assert 0.05 <= usual_transit_s(pair, "downstream") <= 0.09
