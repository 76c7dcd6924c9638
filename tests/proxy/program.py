"""The proxy as a program of its own, as in its image: on nothing but the standard library."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

_PACKAGE = Path(__file__).parents[2] / "harness" / "proxy"
WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the control API answered."""

    status: int
    body: Any


class Program:
    """A running proxy. ``-S`` leaves the standard library as all that it can import."""

    def __init__(self, folder: Path, **environment: str) -> None:
        shutil.copytree(_PACKAGE, folder / "proxy", dirs_exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-m", "proxy"],
            cwd=folder,
            env={"CONTROL_HOST": "127.0.0.1", "CONTROL_PORT": "0", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        said = self.process.stderr.readline()
        if "control API on" not in said:
            pytest.fail(said + self.process.stderr.read())
        self.control = ("127.0.0.1", int(said.rpartition(":")[2]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(WITHIN_S)
        assert self.process.stderr
        self.process.stderr.close()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask the control API; a body that is not bytes goes as JSON."""
        connection = http.client.HTTPConnection(*self.control, timeout=WITHIN_S)
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return Answer(response.status, json.loads(text) if text else None)

    def memory_mb(self) -> float:
        """Resident memory. Source: proc(5), statm counts pages."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ends of one connection through the proxy."""

    client: socket.socket
    server: socket.socket

    def ends(self, stream: str) -> tuple[socket.socket, socket.socket]:
        """Who sends and who receives in a direction."""
        return (self.client, self.server) if stream == "upstream" else (self.server, self.client)

    def close(self) -> None:
        """Close both."""
        self.client.close()
        self.server.close()


class Route:
    """A proxy before an upstream whose connections the test holds in its own hands."""

    def __init__(self, program: Program, name: str) -> None:
        self.program, self.name = program, name
        self.upstream = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.upstream.settimeout(WITHIN_S)
        port = self.upstream.getsockname()[1]
        body = {"name": name, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{port}"}
        answer = program.ask("POST", "/proxies", body)
        assert answer.status == 201, answer
        host, _, listen = answer.body["listen"].rpartition(":")
        self.address = (host, int(listen))
        self.pairs: list[Pair] = []

    def dial(self) -> socket.socket:
        """A client's end; the upstream may not have accepted yet."""
        client = socket.create_connection(self.address, timeout=WITHIN_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def connect(self) -> Pair:
        """A connection through the proxy."""
        client = self.dial()
        server, _ = self.upstream.accept()
        server.settimeout(WITHIN_S)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pairs.append(Pair(client, server))
        return self.pairs[-1]

    def ask(self, method: str, below: str = "", body: object = None) -> Answer:
        """Ask the control API about this proxy."""
        return self.program.ask(method, f"/proxies/{self.name}{below}", body)

    def figures(self) -> Mapping[str, int]:
        """The proxy's own counters."""
        figures: Mapping[str, int] = self.ask("GET").body["mayfly"]
        return figures

    def add(self, kind: str, stream: str = "downstream", **attributes: object) -> None:
        """Add a toxic named ``t``; ``toxicity`` and ``per`` are its own fields."""
        fields = {name: attributes.pop(name) for name in ("toxicity", "per") if name in attributes}
        body = {"name": "t", "type": kind, "stream": stream, "attributes": attributes, **fields}
        answer = self.ask("POST", "/toxics", body)
        assert answer.status == 200, answer

    def touched(self) -> int:
        """How much met the toxic ``t``."""
        return int(self.ask("GET", "/toxics/t").body["mayfly"]["touched"])

    def remove(self) -> None:
        """Remove the toxic ``t``."""
        answer = self.ask("DELETE", "/toxics/t")
        assert answer.status == 204, answer

    @contextmanager
    def toxic(self, kind: str, stream: str = "downstream", **attributes: object) -> Iterator[None]:
        """A toxic in force, and removed afterwards."""
        self.add(kind, stream, **attributes)
        yield
        self.remove()

    def close(self) -> None:
        """Leave nothing behind."""
        self.ask("DELETE")
        for pair in self.pairs:
            pair.close()
        self.upstream.close()
