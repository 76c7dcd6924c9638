"""Toxics that end connections, or lose or change what passes."""

import socket
import time

import pytest

from tests.proxy.program import Pair, Route
from tests.proxy.transfer import is_reset, is_silent, receive, transit_s


def test_timeout_swallows(route: Route, old: Pair | None, stream: str) -> None:
    """At 0 all is swallowed and nothing is closed; when it is removed the connection is closed."""
    route.add("timeout", stream, timeout=0)
    pair = old or route.connect()
    sender, receiver = pair.ends(stream)
    sender.sendall(b"lost")
    assert is_silent(receiver, 0.2)
    assert is_silent(sender, 0.05)
    assert route.touched() == 1

    route.remove()

    assert receiver.recv(1) == b""
    assert sender.recv(1) == b""
    assert transit_s(route.connect(), stream) < 0.1


def test_timeout_closes(route: Route, old: Pair | None, stream: str) -> None:
    """With 200 ms the connection is closed 200 to 300 ms later, and what was sent is lost."""
    began_s = time.monotonic()
    with route.toxic("timeout", stream, timeout=200):
        pair = old or route.connect()
        sender, receiver = pair.ends(stream)
        sender.sendall(b"lost")

        assert receiver.recv(1) == b""
        assert 0.2 <= time.monotonic() - began_s <= 0.3
        assert sender.recv(1) == b""


def test_reset_peer(route: Route, old: Pair | None, stream: str) -> None:
    """100 ms after the first byte both sides see an RST, and the byte never arrives."""
    with route.toxic("reset_peer", stream, timeout=100):
        pair = old or route.connect()
        sender, receiver = pair.ends(stream)
        began_s = time.monotonic()
        sender.sendall(b"x")

        assert is_reset(receiver)
        assert 0.1 <= time.monotonic() - began_s <= 0.2
        assert is_reset(sender)
        assert route.touched() == 1

    assert transit_s(route.connect(), stream) < 0.1


def test_reset_peer_called_off(route: Route, stream: str) -> None:
    """If it is removed before it strikes, what it held back arrives and the connection lives."""
    sender, receiver = route.connect().ends(stream)
    route.add("reset_peer", stream, timeout=60_000)
    sender.sendall(b"held")
    assert is_silent(receiver, 0.1)

    route.remove()

    assert receive(receiver, 4) == b"held"
    receiver.sendall(b"alive")
    assert receive(sender, 5) == b"alive"


def test_limit_data(route: Route, old: Pair | None, stream: str) -> None:
    """After 1,500 bytes, counted from the toxic on, the stream ends; new connections count anew."""
    with route.toxic("limit_data", stream, bytes=1500):
        pair = old or route.connect()
        assert transit_s(pair, stream, bytes(1000)) < 0.1
        sender, receiver = pair.ends(stream)
        sender.sendall(bytes(5000))
        assert len(receive(receiver, 5000)) == 500
        assert route.touched() == 1
        assert transit_s(route.connect(), stream, bytes(1000)) < 0.1

    assert transit_s(route.connect(), stream, bytes(5000)) < 0.1


def test_limit_data_waits_for_late_bytes(route: Route) -> None:
    """A latency behind the limit still delivers what the limit let through, and then the end."""
    pair = route.connect()
    route.add("limit_data", bytes=10)
    late = {"name": "late", "type": "latency", "attributes": {"latency": 100}}
    assert route.ask("POST", "/toxics", late).status == 200

    pair.server.sendall(bytes(50))

    assert receive(pair.client, 50) == bytes(10)


def test_limit_data_goes_on_counting(route: Route) -> None:
    """A higher limit counts what has passed under the lower one."""
    pair = route.connect()
    route.add("limit_data", bytes=1000)
    transit_s(pair, "downstream", bytes(900))

    route.ask("PATCH", "/toxics/t", {"attributes": {"bytes": 1200}})

    pair.server.sendall(bytes(1000))
    assert len(receive(pair.client, 1000)) == 300


def test_half_open(route: Route, stream: str) -> None:
    """Connections of now are dead for both sides, new ones work; removal resets the dead."""
    dead = route.connect()
    route.add("half_open", stream)
    assert route.touched() == 1
    for sender, receiver in (dead.ends("upstream"), dead.ends("downstream")):
        sender.sendall(b"into the void")
        assert is_silent(receiver, 0.1)
    assert transit_s(route.connect(), "upstream") < 0.1
    assert transit_s(route.connect(), "downstream") < 0.1
    assert route.touched() == 1

    route.remove()

    assert is_reset(dead.client)
    assert is_reset(dead.server)
    assert all(is_silent(pair.client, 0.05) for pair in route.pairs[1:])


def test_half_open_tells_no_end(route: Route) -> None:
    """Not even the end of the other side is told, be it FIN or be it RST."""
    dead = route.connect()
    route.add("half_open")

    dead.server.close()

    assert is_silent(dead.client, 0.2)
    route.remove()
    assert is_reset(dead.client)


@pytest.mark.parametrize("ends_it", ["reset", "disable", "delete"])
def test_half_open_does_not_outlast_its_proxy(route: Route, ends_it: str) -> None:
    """A general reset, a disabled and a deleted proxy reset the dead connections too."""
    dead = route.connect()
    route.add("half_open")

    if ends_it == "reset":
        assert route.program.ask("POST", "/reset").status == 204
    elif ends_it == "disable":
        assert route.ask("PATCH", body={"enabled": False}).status == 200
    else:
        assert route.ask("DELETE").status == 204

    assert is_reset(dead.client)


def flipped(before: bytes, after: bytes) -> int:
    """How many bits differ."""
    assert len(before) == len(after)
    return (int.from_bytes(before) ^ int.from_bytes(after)).bit_count()


def corrupted(pair: Pair, stream: str, data: bytes) -> bytes:
    """What arrives of the data."""
    sender, receiver = pair.ends(stream)
    sender.sendall(data)
    return receive(receiver, len(data))


def test_corrupt(route: Route, old: Pair | None, stream: str) -> None:
    """Each chunk loses at least a bit and no byte; afterwards none does."""
    data = bytes(range(256)) * 4
    with route.toxic("corrupt", stream, seed=3):
        pair = old or route.connect()
        flips = [flipped(data, corrupted(pair, stream, data)) for _ in range(5)]
        assert route.touched() == 5

    assert flips == [1] * 5
    assert corrupted(pair, stream, data) == data


def test_corrupt_per_mb(route: Route) -> None:
    """10,000 flips a MB are 100 in 10,000 bytes, and the same seed flips the same bits."""
    data = bytes(10_000)
    runs = []
    for _ in range(2):
        with route.toxic("corrupt", flips_per_mb=10_000, seed=7):
            # Each connection draws its own; a proxy that is made anew numbers them anew.
            runs.append(corrupted(route.connect(), "downstream", data))

    assert [flipped(data, each) for each in runs] == [100, 100]
    assert runs[0] != runs[1]


def test_corrupt_sometimes(route: Route) -> None:
    """With probability 0.5 some 200 chunks of 400 are hit: 150 to 250 is five sigma."""
    pair = route.connect()
    with route.toxic("corrupt", probability=0.5, seed=1):
        hit = sum(corrupted(pair, "downstream", b"abcd") != b"abcd" for _ in range(400))
        assert route.touched() == hit

    assert 150 <= hit <= 250


def test_per_chunk(route: Route) -> None:
    """``per: chunk`` strikes some chunks of one connection: 150 to 250 of 400 at 0.5."""
    pair = route.connect()
    with route.toxic("corrupt", toxicity=0.5, per="chunk"):
        for _ in range(400):
            corrupted(pair, "downstream", b"abcd")
        assert 150 <= route.touched() <= 250


def test_per_connection(route: Route, age: str) -> None:
    """Without it all of a connection's chunks are struck or none: 25 to 75 of 100 at 0.5."""
    if age == "existing":
        for _ in range(100):
            route.connect()
    with route.toxic("corrupt", toxicity=0.5):
        pairs = route.pairs or [route.connect() for _ in range(100)]
        hits = [
            [corrupted(pair, "downstream", b"abcd") != b"abcd" for _ in range(3)] for pair in pairs
        ]

    assert all(sum(each) in {0, 3} for each in hits)
    assert 25 <= sum(all(each) for each in hits) <= 75


def test_disabled(route: Route) -> None:
    """A disabled proxy refuses connections and resets those it has; enabled, it takes more."""
    pair = route.connect()

    assert route.ask("PATCH", body={"enabled": False}).body["enabled"] is False

    assert is_reset(pair.client)
    assert is_reset(pair.server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(route.address)
    assert route.ask("PATCH", body={"enabled": True}).body["enabled"] is True
    assert transit_s(route.connect(), "upstream") < 0.1
