"""What the proxy costs while no toxic is in force: ``python -m bench``.

Round trips of a PostgreSQL ``select 1`` and bulk throughput, direct and through the proxy's
container, interleaved in one run. All share one machine, so compare only figures of one run.
"""

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import docker
from docker.models.containers import Container
from docker.models.networks import Network

from harness import engine
from harness.directories import new_run_id
from harness.images import build
from harness.platforms.ownership import Ownership
from harness.service import read
from harness.session import heal

_PASSWORD = "bench"  # noqa: S105 - of a database that lives for this run, on 127.0.0.1
_BLOCKS, _QUERIES, _WARM_UP = 60, 50, 200
_ROUNDS, _BULK_BYTES = 5, 1 << 30
_WITHIN_S = 30.0
_DATABASE, _SINK, _CONTROL = 5432, 9000, 8474

_RECEIVE = f"""
import socket
with socket.create_server(("0.0.0.0", {_SINK})) as listener:
    while True:
        sock, buffer, size = listener.accept()[0], bytearray(1 << 18), 0
        while got := sock.recv_into(buffer):
            size += got
        sock.sendall(str(size).encode())
        sock.close()
"""
_SEND = """
import socket, sys, time
host, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with socket.create_connection((host, port)) as sock:
    block, began_s = bytes(1 << 18), time.monotonic()
    for _ in range(size // len(block)):
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)
    assert int(sock.recv(100)) == size
    print(time.monotonic() - began_s)
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the containers of a benchmark live."""

    client: docker.DockerClient
    images: Mapping[str, str]
    network: Network
    labels: Callable[[str], dict[str, str]]

    def start(
        self,
        role: str,
        image: str,
        ports: tuple[int, ...] = (),
        command: tuple[str, ...] = (),
        **environment: str,
    ) -> Container:
        """A container that others reach by its role; ``command`` takes the place of its own."""
        return self.client.containers.run(
            self.images[image],
            entrypoint=["python3", "-c"] if command else None,
            command=list(command) or None,
            name=f"{self.network.name}-{role}",
            network=self.network.name,
            hostname=role,
            environment=environment,
            ports={f"{port}/tcp": ("127.0.0.1", None) for port in ports},
            labels=self.labels(role),
            cap_drop=["ALL"],
            read_only=image == "proxy",
            detach=True,
        )


def measure(root: Path) -> dict[str, object]:
    """Start a database, a sink and a proxy before both, and measure the ways to them."""
    heal()
    with _ground(root) as ground, ExitStack() as started:

        def start(role: str, image: str, *ports: int, **environment: str) -> Container:
            command = (_RECEIVE,) if role == "sink" else ()
            container = ground.start(role, image, ports, command, **environment)
            started.callback(container.remove, force=True, v=True)
            return container

        database = start("database", "database", _DATABASE, POSTGRES_PASSWORD=_PASSWORD)
        sink = start("sink", "proxy")
        proxy = start("proxy", "proxy", _CONTROL, _DATABASE)
        _forward(proxy, database, _DATABASE)
        _forward(proxy, sink, _SINK)
        return {
            "select_1": asyncio.run(_select(_port(database, _DATABASE), _port(proxy, _DATABASE))),
            "bulk": _bulk(ground, sink, proxy),
        }


@contextmanager
def _ground(root: Path) -> Iterator[Ground]:
    client, owner = engine.connect(), Ownership(new_run_id())
    recipes = [build.BACKING[name] for name in ("database", "proxy")]
    images = build.ensure(client, recipes, read(root / "resilience.toml").platform.base_image, _say)
    name = f"mayfly-bench-{owner.run_id}"
    network = client.networks.create(name, driver="bridge", labels=owner.labels("network"))
    try:
        yield Ground(client, images, network, owner.labels)
    finally:
        network.remove()
        owner.close()
        client.close()


def _port(container: Container, inside: int) -> int:
    container.reload()
    return int(container.ports[f"{inside}/tcp"][0]["HostPort"])


def _address(container: Container) -> str:
    container.reload()
    networks: Mapping[str, Mapping[str, str]] = container.attrs["NetworkSettings"]["Networks"]
    return next(iter(networks.values()))["IPAddress"]


def _forward(proxy: Container, upstream: Container, port: int) -> None:
    """Tell the proxy to listen at the port and hand on to the same port upstream."""
    body = {
        "name": f"to-{port}",
        "listen": f"0.0.0.0:{port}",
        "upstream": f"{_address(upstream)}:{port}",
    }
    give_up_s = time.monotonic() + _WITHIN_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", _port(proxy, _CONTROL), timeout=5)
        try:
            connection.request("POST", "/proxies", json.dumps(body))
            answer = connection.getresponse()
        except OSError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.02)
        else:
            if answer.status != 201:
                raise RuntimeError(f"expected a proxy, got {answer.status}: {answer.read()!r}")
            return
        finally:
            connection.close()


async def _select(direct_port: int, proxied_port: int) -> dict[str, object]:
    """Blocks of queries in turn, one connection each way."""
    ways = {
        "direct": await _connected(direct_port),
        "proxied": await _connected(proxied_port),
    }
    times_ms: dict[str, list[float]] = {way: [] for way in ways}
    for connection in ways.values():
        await _ask(connection, _WARM_UP)
    for _ in range(_BLOCKS):
        for way, connection in ways.items():
            times_ms[way] += await _ask(connection, _QUERIES)
    for connection in ways.values():
        await connection.close()
    direct_ms, proxied_ms = median(times_ms["direct"]), median(times_ms["proxied"])
    return {
        "queries_each": _BLOCKS * _QUERIES,
        "direct_p50_ms": round(direct_ms, 3),
        "proxied_p50_ms": round(proxied_ms, 3),
        "added_p50_ms": round(proxied_ms - direct_ms, 3),
        "ratio": round(proxied_ms / direct_ms, 2),
    }


async def _connected(port: int) -> asyncpg.Connection:
    give_up_s = time.monotonic() + _WITHIN_S
    while True:
        try:
            return await asyncpg.connect(
                host="127.0.0.1", port=port, user="mayfly", password=_PASSWORD, ssl=False
            )
        except (asyncpg.PostgresError, OSError):
            if time.monotonic() > give_up_s:
                raise
            await asyncio.sleep(0.05)


async def _ask(connection: asyncpg.Connection, queries: int) -> list[float]:
    times_ms = []
    for _ in range(queries):
        began_s = time.perf_counter()
        await connection.execute("select 1")
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return times_ms


def _bulk(ground: Ground, sink: Container, proxy: Container) -> dict[str, object]:
    """1 GiB in turn each way, sent by a container in the same network as replicas would be."""
    rates: dict[str, list[float]] = {"direct": [], "proxied": []}
    for _ in range(_ROUNDS):
        for way, target in (("direct", sink), ("proxied", proxy)):
            took_s = _send(ground, _address(target))
            rates[way].append(_BULK_BYTES / took_s / 1e6)
    direct, proxied = median(rates["direct"]), median(rates["proxied"])
    return {
        "bytes_each": _BULK_BYTES,
        "direct_mb_per_s": round(direct),
        "proxied_mb_per_s": round(proxied),
        "proxied_min_mb_per_s": round(min(rates["proxied"])),
        "ratio": round(proxied / direct, 2),
    }


def _send(ground: Ground, address: str) -> float:
    sender = ground.start("sender", "proxy", command=(_SEND, address, str(_SINK), str(_BULK_BYTES)))
    try:
        status = sender.wait(timeout=_WITHIN_S)["StatusCode"]
        said = sender.logs()
        if status != 0:
            raise RuntimeError(f"expected a time, got {said!r}")
        return float(said)
    finally:
        sender.remove(force=True, v=True)


def _say(_what: str) -> None:
    """A benchmark prints its figures and nothing else."""
