"""The client of Toxiproxy's API, against a server that answers as its documentation says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_server

import pytest

from harness.errors import FaultError
from harness.toxiproxy import NewToxic, Toxiproxy

LATENCY = NewToxic("latency-1", "latency", "downstream", 1.0, {"latency": 200, "jitter": 0})


class Handler(BaseHTTPRequestHandler):
    """Answers what the test has laid out, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, body))
        status, answer = self.server.answers.get((self.command, self.path), (404, NOT_FOUND))
        content = b"" if status == 204 else answer.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  # as the library calls them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A control API on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], tuple[int, str]] = {}
        self.asked: list[tuple[str, str, object]] = []

    def answer(self, method: str, path: str, document: object, status: int = 200) -> None:
        """Lay out an answer."""
        self.answers[method, path] = (status, json.dumps(document))


NOT_FOUND = '{"error":"toxic not found","status":404}'


@pytest.fixture
def server() -> Iterator[Server]:
    """It listens."""
    with Server() as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[Toxiproxy]:
    """It is connected to the server."""
    connected = Toxiproxy(f"http://127.0.0.1:{server.server_port}")
    yield connected
    connected.close()


def proxy(name: str = "cache", **changes: object) -> dict[str, object]:
    """One as Toxiproxy 2.x tells it."""
    plain = {
        "name": name,
        "listen": "[::]:6379",
        "upstream": "cache:6379",
        "enabled": True,
        "Logger": {},
        "toxics": [],
    }
    return {**plain, **changes}


def toxic(**changes: object) -> dict[str, object]:
    """One as Toxiproxy 2.x tells it."""
    plain = {
        "attributes": {"latency": 200, "jitter": 0},
        "name": "latency-1",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1,
    }
    return {**plain, **changes}


def test_what_is_sent(server: Server, client: Toxiproxy) -> None:
    """Methods, paths and bodies are those of the documentation; nothing of ours is in them."""
    server.answer("POST", "/populate", {"proxies": [proxy()]}, 201)
    server.answer("POST", "/proxies/cache/toxics", toxic())
    server.answer("POST", "/proxies/cache", proxy(enabled=False))
    server.answer("DELETE", "/proxies/cache/toxics/latency-1", None, 204)
    server.answer("POST", "/reset", None, 204)

    client.populate([("cache", "0.0.0.0:6379", "cache:6379")])
    client.add("cache", LATENCY)
    client.enable("cache", enabled=False)
    client.remove("cache", "latency-1")
    client.reset()

    assert server.asked == [
        (
            "POST",
            "/populate",
            [
                {
                    "name": "cache",
                    "listen": "0.0.0.0:6379",
                    "upstream": "cache:6379",
                    "enabled": True,
                }
            ],
        ),
        (
            "POST",
            "/proxies/cache/toxics",
            {
                "name": "latency-1",
                "type": "latency",
                "stream": "downstream",
                "toxicity": 1.0,
                "attributes": {"latency": 200, "jitter": 0},
            },
        ),
        ("POST", "/proxies/cache", {"enabled": False}),
        ("DELETE", "/proxies/cache/toxics/latency-1", None),
        ("POST", "/reset", {}),
    ]


def test_a_toxiproxy_without_counters(server: Server, client: Toxiproxy) -> None:
    """What Toxiproxy does not tell is None, never zero."""
    server.answer("GET", "/proxies", {"cache": proxy(toxics=[toxic()])})

    seen = client.proxies()["cache"]

    assert (seen.connections, seen.toxics[0].touched) == (None, None)
    assert seen.rules() == "latency-1 {'latency': 200, 'jitter': 0}"


def test_our_proxy_counts(server: Server, client: Toxiproxy) -> None:
    """What our own proxy counts is there."""
    counted = toxic(per="connection", mayfly={"touched": 7})
    server.answer("GET", "/proxies/cache", proxy(toxics=[counted], mayfly={"connections_open": 3}))

    seen = client.proxy("cache")

    assert (seen.connections, seen.toxics[0].touched) == (3, 7)


def test_a_disabled_proxy_is_a_rule(server: Server, client: Toxiproxy) -> None:
    """A proxy that refuses is disturbed, though no toxic is in force."""
    server.answer("GET", "/proxies/cache", proxy(enabled=False))

    assert client.proxy("cache").rules() == "disabled"


def test_resetting_one_proxy(server: Server, client: Toxiproxy) -> None:
    """It is enabled and loses its toxics; the others are left alone."""
    server.answer("GET", "/proxies/cache", proxy(enabled=False, toxics=[toxic()]))
    server.answer("POST", "/proxies/cache", proxy())
    server.answer("DELETE", "/proxies/cache/toxics/latency-1", None, 204)

    client.reset("cache")

    assert [(method, path) for method, path, _ in server.asked] == [
        ("GET", "/proxies/cache"),
        ("POST", "/proxies/cache"),
        ("DELETE", "/proxies/cache/toxics/latency-1"),
    ]


def test_removing_what_is_gone(client: Toxiproxy) -> None:
    """A rule whose lease ran out is gone, as it should be."""
    client.remove("cache", "latency-1")


def test_a_toxic_that_toxiproxy_does_not_know(server: Server, client: Toxiproxy) -> None:
    """The error says that it is the toxic, and what to use instead."""
    refusal = {"error": "invalid toxic type", "status": 400}
    server.answer("POST", "/proxies/cache/toxics", refusal, 400)

    with pytest.raises(FaultError, match=r"knows the toxic 'corrupt'.*Toxiproxy has no such toxic"):
        client.add("cache", NewToxic("x", "corrupt", "downstream", 1.0, {}))


def test_a_share_of_chunks_that_toxiproxy_does_not_draw(server: Server, client: Toxiproxy) -> None:
    """Toxiproxy passes over what it does not know: that is noticed, and the rule taken back."""
    server.answer("POST", "/proxies/cache/toxics", toxic())
    server.answer("DELETE", "/proxies/cache/toxics/latency-1", None, 204)
    rule = NewToxic("latency-1", "latency", "downstream", 0.5, {"latency": 200}, per="chunk")

    with pytest.raises(FaultError, match="anew for each chunk, but it draws once"):
        client.add("cache", rule)

    assert server.asked[-1][:2] == ("DELETE", "/proxies/cache/toxics/latency-1")


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [
        (500, '{"error":"listen tcp: address in use","status":500}', "status 500, listen tcp"),
        (502, "<html>bad gateway</html>", "status 502, <html>bad gateway"),
        (404, '{"error":"proxy not found","status":404}', "status 404, proxy not found"),
        (200, "<html>hello</html>", "an answer in Toxiproxy's form .*hello"),
        (200, '{"name": 1}', "an answer in Toxiproxy's form"),
    ],
)
def test_a_refusal(server: Server, client: Toxiproxy, status: int, content: str, told: str) -> None:
    """Whatever is wrong becomes one error that says what was expected and what was seen."""
    server.answers["GET", "/proxies/cache"] = (status, content)

    with pytest.raises(FaultError, match=told):
        client.proxy("cache")


def test_nobody_answers() -> None:
    """A proxy that is gone is told as such, with the address."""
    with create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    gone = Toxiproxy(url)

    with pytest.raises(FaultError, match=f"{url} to answer GET /proxies, seen: ConnectError"):
        gone.proxies()
    gone.close()


def test_silence_is_not_awaited_for_long() -> None:
    """A proxy that takes connections and never answers costs the time-out, not more."""
    with create_server(("127.0.0.1", 0)) as listener:
        silent = Toxiproxy(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.05)
        with pytest.raises(FaultError, match="seen: ReadTimeout"):
            silent.proxies()
        silent.close()


def test_no_proxy_of_the_environment(
    server: Server, client: Toxiproxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user's environment says of proxies has no part in this."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.answer("GET", "/version", {"version": "2.12.0"})
    fresh = Toxiproxy(client.url)

    assert fresh.version() == "2.12.0"
    fresh.close()
