"""The control API: Toxiproxy's paths, fields, statuses and words; ours marked as ours."""

import http.client
import json
import socket
import threading
import time

import pytest

from tests.proxy.program import WITHIN_S, Answer, Program, Route
from tests.proxy.transfer import is_reset, sending, transit_s

DEFAULT_LATENCY = {
    "attributes": {"latency": 0, "jitter": 0},
    "name": "latency_downstream",
    "type": "latency",
    "stream": "downstream",
    "toxicity": 1.0,
    "per": "connection",
    "mayfly": {"touched": 0},
}


def refused(answer: Answer, status: int, words: str) -> bool:
    """Whether it is an error of that status, worded so."""
    said = answer.body
    return answer.status == status == said["status"] and words in said["error"]


def test_version(program: Program) -> None:
    """Toxiproxy's field, and one that tells that this is not Toxiproxy."""
    body = program.ask("GET", "/version").body

    assert body["version"].startswith("2.")
    assert body["mayfly"]["version"] == "1"
    assert body["mayfly"]["lease_s"] == 0


def test_proxy_life(program: Program, route: Route) -> None:
    """A proxy is made, shown alone and among all, and deleted; then nobody listens."""
    shown = route.ask("GET").body

    assert shown["name"] == route.name
    assert shown["listen"] == f"127.0.0.1:{route.address[1]}"
    assert shown["upstream"] == f"127.0.0.1:{route.upstream.getsockname()[1]}"
    assert shown["enabled"] is True
    assert shown["toxics"] == []
    assert program.ask("GET", "/proxies").body[route.name] == shown
    assert route.ask("DELETE") == Answer(204, None)
    assert refused(route.ask("GET"), 404, "proxy not found")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(route.address)


def test_toxic_life(route: Route) -> None:
    """A toxic has Toxiproxy's defaults, is shown in three places, is changed and removed."""
    assert route.ask("POST", "/toxics", {"type": "latency"}) == Answer(200, DEFAULT_LATENCY)
    name = "/toxics/latency_downstream"

    assert route.ask("GET", "/toxics").body == [DEFAULT_LATENCY]
    assert route.ask("GET", name).body == DEFAULT_LATENCY
    assert route.ask("GET").body["toxics"] == [DEFAULT_LATENCY]
    for method, latency in (("POST", 5), ("PATCH", 6)):
        body = {"attributes": {"latency": latency}, "toxicity": 0.5}
        changed = route.ask(method, name, body).body
        assert changed["attributes"] == {"latency": latency, "jitter": 0}
        assert changed["toxicity"] == 0.5
    assert route.ask("DELETE", name) == Answer(204, None)
    assert refused(route.ask("GET", name), 404, "toxic not found")


def test_counters(route: Route) -> None:
    """Connections, bytes each way, and chunks that toxics touched, also by one that is gone."""
    pair = route.connect()
    with route.toxic("latency"):
        transit_s(pair, "upstream", bytes(7))
        transit_s(pair, "downstream", bytes(11))

    assert route.figures() == {
        "connections_open": 1,
        "connections_accepted": 1,
        "bytes_up": 7,
        "bytes_down": 11,
        "bytes_held": 0,
        "touched": 1,
    }


def test_reset_all(program: Program, route: Route) -> None:
    """POST /reset enables every proxy and removes every toxic."""
    route.add("latency", latency=500)
    route.ask("PATCH", body={"enabled": False})

    assert program.ask("POST", "/reset") == Answer(204, None)

    assert route.ask("GET").body["toxics"] == []
    assert transit_s(route.connect(), "downstream") < 0.1


def test_populate(program: Program, route: Route) -> None:
    """A proxy with the same addresses stays with its connections; another is replaced or made."""
    kept, shown = route.connect(), route.ask("GET").body
    same = {name: shown[name] for name in ("name", "listen", "upstream")}
    other = {"name": "other", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "enabled": False}

    answer = program.ask("POST", "/populate", [same, other])

    assert answer.status == 201
    assert [each["name"] for each in answer.body["proxies"]] == [route.name, "other"]
    assert [each["enabled"] for each in answer.body["proxies"]] == [True, False]
    assert transit_s(kept, "upstream") < 0.1
    program.ask("POST", "/populate", [{**same, "upstream": "127.0.0.1:1"}])
    assert is_reset(kept.client)
    assert program.ask("DELETE", "/proxies/other").status == 204


def test_other_listen_and_upstream(route: Route) -> None:
    """PATCH moves a proxy and resets its connections; the same place in other words does not."""
    pair, old = route.connect(), route.address
    route.ask("PATCH", body={"listen": f"localhost:{old[1]}"})
    assert transit_s(pair, "upstream") < 0.1

    moved = route.ask("PATCH", body={"listen": "127.0.0.1:0"}).body["listen"]

    assert is_reset(pair.client)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(old)
    route.address = ("127.0.0.1", int(moved.rpartition(":")[2]))
    assert transit_s(route.connect(), "upstream") < 0.1


def test_listen_place_is_taken(program: Program, route: Route) -> None:
    """An address in use is a 500 as in Toxiproxy; nothing is made, nothing moved."""
    taken = f"127.0.0.1:{route.upstream.getsockname()[1]}"
    body = {"name": "second", "listen": taken, "upstream": "127.0.0.1:1"}
    pair = route.connect()

    assert refused(program.ask("POST", "/proxies", body), 500, "listen tcp")
    assert program.ask("GET", "/proxies/second").status == 404
    assert refused(route.ask("PATCH", body={"listen": taken}), 500, "listen tcp")
    assert transit_s(pair, "upstream") < 0.1
    assert transit_s(route.connect(), "upstream") < 0.1


BAD_PROXIES = [
    (b"{", "bad request body"),
    (b"[" * 100_000, "bad request body"),
    (b"\xff", "bad request body"),
    ([], "has to be an object"),
    ({"upstream": "a:1"}, "missing required field: name"),
    ({"name": "a"}, "missing required field: upstream"),
    ({"name": 3, "upstream": "a:1"}, "name has to be a string"),
    ({"name": "a", "upstream": "nowhere"}, "upstream has to be host:port"),
    ({"name": "a", "upstream": "a:99999"}, "upstream has to be host:port"),
    ({"name": "a", "upstream": "a:1", "listen": "x"}, "listen has to be host:port"),
    ({"name": "a", "upstream": "a:1", "enabled": "yes"}, "enabled has to be true or false"),
]


@pytest.mark.parametrize(("body", "words"), BAD_PROXIES)
def test_bad_proxy(program: Program, route: Route, body: object, words: str) -> None:
    """What cannot be meant is a 400 that says what is wrong; no proxy appears, none is lost."""
    before = set(program.ask("GET", "/proxies").body)

    assert refused(program.ask("POST", "/proxies", body), 400, words)
    if not isinstance(body, bytes | list):
        good = {"name": "good", "upstream": "a:1"}
        assert program.ask("POST", "/populate", [good, body]).status == 400
    assert set(program.ask("GET", "/proxies").body) == before
    assert route.ask("GET").body["enabled"]


BAD_TOXICS: list[tuple[object, str]] = [
    (b"nonsense", "bad request body"),
    ({}, "missing required field: type"),
    ({"type": "no-such"}, "invalid toxic type"),
    ({"type": "latency", "stream": "sideways"}, "stream was invalid"),
    ({"type": "latency", "toxicity": 1.5}, "toxicity has to be a number from 0 to 1"),
    ({"type": "latency", "toxicity": True}, "toxicity has to be a number from 0 to 1"),
    ({"type": "latency", "per": "byte"}, "per has to be one of"),
    ({"type": "limit_data", "per": "chunk"}, "strikes connections"),
    ({"type": "latency", "attributes": 3}, "attributes has to be an object"),
    ({"type": "latency", "attributes": {"latency": "5"}}, "latency has to be a whole number"),
    ({"type": "latency", "attributes": {"latency": 1.5}}, "latency has to be a whole number"),
    ({"type": "latency", "attributes": {"latency": -1}}, "latency has to be at least 0"),
    ({"type": "latency", "attributes": {"latency": 2**63}}, "latency has to be at least 0"),
    ({"type": "latency", "attributes": {"delay": 5}}, "attributes has 'delay'"),
    ({"type": "slicer"}, "average_size has to be at least 1"),
    ({"type": "slicer", "attributes": {"average_size": 5, "size_variation": 5}}, "below"),
    ({"type": "corrupt", "attributes": {"probability": 2}}, "probability has to be from 0 to 1"),
    ({"type": "corrupt", "attributes": {"flips_per_mb": float("nan")}}, "flips_per_mb has to be"),
]


@pytest.mark.parametrize(("body", "words"), BAD_TOXICS)
def test_bad_toxic(route: Route, body: object, words: str) -> None:
    """What cannot be meant is a 400 that says what is wrong, and no toxic acts."""
    assert refused(route.ask("POST", "/toxics", body), 400, words)
    assert route.ask("GET", "/toxics").body == []


def test_bad_change(route: Route) -> None:
    """A change that cannot be meant leaves the toxic as it was."""
    route.add("latency", latency=5)
    before = route.ask("GET", "/toxics/t").body

    for body in ({"attributes": {"latency": -1}}, {"toxicity": 7, "attributes": {"latency": 9}}):
        assert route.ask("PATCH", "/toxics/t", body).status == 400
    assert route.ask("GET", "/toxics/t").body == before


def test_conflicts_and_strangers(program: Program, route: Route) -> None:
    """Names are there once (409), unknown ones are 404, other methods 405, browsers 403."""
    body = {"name": route.name, "upstream": "127.0.0.1:1"}
    route.add("latency")

    assert refused(program.ask("POST", "/proxies", body), 409, "proxy already exists")
    toxic = {"name": "t", "type": "timeout"}
    assert refused(route.ask("POST", "/toxics", toxic), 409, "toxic already exists")
    assert refused(program.ask("GET", "/proxies/none"), 404, "proxy not found")
    assert refused(program.ask("POST", "/proxies/none/toxics", toxic), 404, "proxy not found")
    assert refused(route.ask("PATCH", "/toxics/none", {}), 404, "toxic not found")
    assert refused(route.ask("DELETE", "/toxics/none"), 404, "toxic not found")
    assert refused(program.ask("GET", "/nowhere"), 404, "no such path")
    assert refused(program.ask("DELETE", "/proxies"), 405, "DELETE is not allowed")
    browser = {"User-Agent": "Mozilla/5.0"}
    assert refused(program.ask("GET", "/proxies", **browser), 403, "not allowed")


def test_too_large_a_body(program: Program) -> None:
    """A body beyond 1 MB, or of no stated length, is refused before it is read."""
    assert refused(program.ask("POST", "/populate", b" " * 1_048_577), 413, "at most")
    chunked = {"Transfer-Encoding": "chunked"}
    assert refused(program.ask("POST", "/populate", b"0\r\n\r\n", **chunked), 411, "Content-Length")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9.9\r\n\r\n", 400),
        (b"BREW /proxies HTTP/1.1\r\n\r\n", 501),
        (b"POST /proxies HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /proxies HTTP/1.1\r\nContent-Length: 10\r\n\r\n{", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
)
def test_no_http(program: Program, request_: bytes, status: int) -> None:
    """What is no proper HTTP is refused as JSON, and the next request is answered."""
    with socket.create_connection(program.control, timeout=WITHIN_S) as sock:
        sock.sendall(request_)
        sock.shutdown(socket.SHUT_WR)
        head, _, body = receive_all(sock).partition(b"\r\n\r\n")

    assert json.loads(body or head)["status"] == status
    assert program.ask("GET", "/version").status == 200


def test_kept_connection(program: Program) -> None:
    """One HTTP connection carries request after request, also after an error and a 204."""
    connection = http.client.HTTPConnection(*program.control, timeout=WITHIN_S)
    statuses = []
    for method, path in (("GET", "/version"), ("GET", "/nowhere"), ("POST", "/reset")) * 2:
        connection.request(method, path)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()

    assert statuses == [200, 404, 204] * 2


def test_idle_clients_do_not_lock_others_out(program: Program) -> None:
    """Twenty clients that connect and say nothing leave the API to those who do."""
    idle = [socket.create_connection(program.control) for _ in range(20)]

    assert program.ask("GET", "/version").status == 200
    for each in idle:
        each.close()


def test_api_and_data_do_not_disturb_each_other(route: Route) -> None:
    """While 200 MB pass, each of 20 requests is answered within 0.5 s, and no byte is lost."""
    pair, data = route.connect(), bytes(200_000_000)
    received: list[int] = []
    reader = threading.Thread(target=lambda: received.append(len(receive_all(pair.server))))
    reader.start()
    with sending(pair.client, data):
        answers_s = [asked_s(route) for _ in range(20)]
    pair.client.shutdown(socket.SHUT_WR)
    reader.join()

    assert max(answers_s) < 0.5
    assert received == [len(data)]


def asked_s(route: Route) -> float:
    """How long a request takes."""
    began_s = time.monotonic()
    assert route.ask("GET").status == 200
    return time.monotonic() - began_s


def receive_all(sock: socket.socket) -> bytes:
    """All until the end."""
    got = bytearray()
    while data := sock.recv(1 << 20):
        got += data
    return bytes(got)
