"""The lease: a harness that died leaves no rule behind."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.proxy.program import Program, Route
from tests.proxy.transfer import is_silent, receive, transit_s, usual_transit_s


def test_lease_runs_out(tmp_path: Path) -> None:
    """After 1 s of silence toxics are gone and proxies enabled; nobody had to ask for it."""
    with Program(tmp_path, LEASE_S="1") as program:
        slow, off = Route(program, "slow"), Route(program, "off")
        pair = slow.connect()
        slow.add("latency", latency=60_000)
        off.ask("PATCH", body={"enabled": False})
        asked_s = time.monotonic()
        pair.server.sendall(b"late")

        assert is_silent(pair.client, 0.5)
        assert receive(pair.client, 4) == b"late"
        assert 0.9 < time.monotonic() - asked_s < 1.5
        assert usual_transit_s(pair, "downstream") < 0.05
        assert transit_s(off.connect(), "upstream") < 0.1
        assert slow.ask("GET").body["toxics"] == []
        assert program.ask("GET", "/version").body["mayfly"]["lease_s"] == 1
        slow.close()
        off.close()


def test_requests_renew_the_lease(tmp_path: Path) -> None:
    """Any request renews it: what is asked each 0.2 s keeps its toxic for twice the lease."""
    with Program(tmp_path, LEASE_S="0.6") as program:
        route = Route(program, "kept")
        route.add("latency", latency=1)
        until_s = time.monotonic() + 1.2
        while time.monotonic() < until_s:
            assert program.ask("GET", f"/proxies/{route.name}/toxics/t").status == 200
            time.sleep(0.2)  # the pace of whoever renews, not a wait for a state
        route.close()


def test_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    """SIGTERM ends the program with status 0 within a second, and its ports are free."""
    with Program(tmp_path) as program:
        route = Route(program, "any")
        route.connect()
        program.process.terminate()

        assert program.process.wait(1) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(route.address)
        for pair in route.pairs:
            pair.close()
        route.upstream.close()


@pytest.mark.parametrize("setting", ["LEASE_S=soon", "LEASE_S=-1", "CONTROL_PORT=http"])
def test_bad_settings(setting: str) -> None:
    """A setting that cannot be meant ends it at once, saying which."""
    name, _, value = setting.partition("=")
    package = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "harness.proxy"],
        cwd=package,
        env={name: value},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert ended.returncode == 1
    assert name in ended.stderr
