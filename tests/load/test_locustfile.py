"""A user's own locustfile runs in a process of its own, against a real server."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
from open_inference.grpc.protocol import ServerLiveRequest, ServerLiveResponse

from harness.errors import LoadError
from harness.load.locustfile import LocustProcess

FILES = Path(__file__).with_name("locustfiles")
LIMIT_S = 10.0


class Page(BaseHTTPRequestHandler):
    """Counts who asks for it."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        """Answer with two bytes."""
        type(self).asked += 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """A server that does not mind users who are gone before their answer."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    """Serve a page over HTTP; its URL."""
    Page.asked = 0
    with Quiet(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextmanager
def live_server() -> Iterator[tuple[str, list[int]]]:
    """Serve ServerLive over gRPC: its address, and a mark for each call."""
    calls: list[int] = []

    def answer(_request: object, _context: object) -> ServerLiveResponse:
        calls.append(1)
        return ServerLiveResponse(live=True)

    method = grpc.unary_unary_rpc_method_handler(
        answer, ServerLiveRequest.FromString, ServerLiveResponse.SerializeToString
    )
    name = "inference.GRPCInferenceService"
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(name, {"ServerLive": method}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", calls
    finally:
        server.stop(0).wait()


def test_http_users_reach_their_server(page: str, tmp_path: Path) -> None:
    """The server is asked for the page; the counts that are kept agree with the server's own."""
    with LocustProcess.spawn(FILES / "http_users.py", page, tmp_path, users=3) as locust:
        seen = locust.await_requests(20)
        group = os.getpgid(locust.pid)
        while Page.asked < seen.requests + 20:  # which the statistics do not know of yet
            locust.check()
            time.sleep(0.01)  # between two looks, not instead of one
    counted = locust.counted()

    assert group == locust.pid != os.getpgrp()
    assert counted.failures == 0
    assert 20 <= counted.requests <= Page.asked <= counted.requests + 3  # in flight
    assert (tmp_path / "locust_stats_history.csv").read_text().count("\n") >= 2
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_grpc_users_reach_their_server(tmp_path: Path) -> None:
    """A user class that speaks gRPC works as well, with the address as its host."""
    with live_server() as (address, calls):
        with LocustProcess.spawn(FILES / "grpc_users.py", address, tmp_path, users=2) as locust:
            locust.await_requests(10)
        counted = locust.counted()

    assert counted.failures == 0
    assert 10 <= counted.requests <= len(calls) <= counted.requests + 2


def test_failures_are_counted_and_end_nothing(tmp_path: Path) -> None:
    """Users who fail are what a chaos test is for: Locust goes on, and counts them."""
    with LocustProcess.spawn(FILES / "http_users.py", "http://127.0.0.1:9", tmp_path) as locust:
        locust.await_requests(10)
    counted = locust.counted()

    assert counted.failures == counted.requests >= 10


def test_a_locustfile_that_cannot_run_is_an_error(tmp_path: Path) -> None:
    """The error carries the end of Locust's stderr; a missing file is named at once."""
    bad = tmp_path / "bad.py"
    bad.write_text("raise RuntimeError('my own mistake')\n")
    with (
        pytest.raises(LoadError, match=r"(?s)exit status 1.*my own mistake"),
        LocustProcess.spawn(bad, "http://127.0.0.1:9", tmp_path) as locust,
    ):
        locust.await_requests()

    with pytest.raises(LoadError, match="no locustfile"):
        LocustProcess.spawn(tmp_path / "none.py", "http://127.0.0.1:9", tmp_path)


def test_a_locust_that_dies_in_the_block_is_an_error(page: str, tmp_path: Path) -> None:
    """Leaving the block tells of a death that nobody had noticed."""
    locust = LocustProcess.spawn(FILES / "http_users.py", page, tmp_path)
    locust.await_requests()
    os.kill(locust.pid, signal.SIGKILL)
    os.waitid(os.P_PID, locust.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(LoadError, match="exit status -9"):
        locust.__exit__(None, None, None)


def test_locust_goes_with_its_parent(page: str, tmp_path: Path) -> None:
    """A parent that is SIGKILLed leaves no Locust behind."""
    script = (
        "import sys; from pathlib import Path\n"
        "from harness.load.locustfile import LocustProcess\n"
        "file, host, folder = sys.argv[1:]\n"
        "locust = LocustProcess.spawn(Path(file), host, Path(folder)); locust.await_requests()\n"
        "print(locust.pid, flush=True); sys.stdin.read()\n"
    )
    arguments = [str(FILES / "http_users.py"), page, str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        locust = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        gone, _, _ = select.select([locust], [], [], LIMIT_S)
        os.close(locust)

    assert gone
