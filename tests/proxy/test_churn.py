"""Toxics that come, change and go while many connections are busy."""

import random
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.proxy.echo import echoing
from tests.proxy.program import Route
from tests.proxy.transfer import receive, sending

_CLIENTS, _TURNS, _CHANGES = 12, 8, 60

KINDS: Mapping[str, Callable[[random.Random], Mapping[str, int]]] = {
    "latency": lambda rng: {"latency": rng.randint(0, 30), "jitter": rng.randint(0, 20)},
    "slicer": lambda rng: {"average_size": rng.choice([90, 700]), "delay": rng.randint(0, 50)},
    "bandwidth": lambda rng: {"rate": rng.randint(2000, 20_000)},
    "slow_close": lambda rng: {"delay": rng.randint(0, 60)},
}
"""All that lose nothing, with attributes at random."""


def exchange(route: Route, seed: int) -> bool:
    """Whether what one client sends comes back to the byte, connection after connection."""
    rng, is_same = random.Random(seed), True  # noqa: S311
    for _ in range(_TURNS):
        data = rng.randbytes(rng.choice([10, 5000, 300_000]))
        with route.dial() as client:
            with sending(client, data):
                back = receive(client, len(data))
            client.shutdown(socket.SHUT_WR)
            is_same = is_same and back == data and client.recv(1) == b""
    return is_same


def churn(route: Route, rng: random.Random, names: list[str], number: int) -> int:
    """Add, change or remove one toxic; the status of the answer."""
    kind = rng.choice(list(KINDS))
    action = rng.choice(["add", "change", "remove"])
    if action == "add" and len(names) < 4:
        per = "connection" if kind == "slow_close" else rng.choice(["connection", "chunk"])
        stream, toxicity = rng.choice(["upstream", "downstream"]), rng.choice([0.5, 1.0])
        names.append(f"{kind}-{number}")
        body = {"name": names[-1], "type": kind, "attributes": KINDS[kind](rng)}
        draw = {"stream": stream, "toxicity": toxicity, "per": per}
        return route.ask("POST", "/toxics", body | draw).status
    if action == "change" and names:
        name = rng.choice(names)
        body = {"attributes": KINDS[name.partition("-")[0]](rng), "toxicity": rng.random()}
        return route.ask("PATCH", f"/toxics/{name}", body).status
    if names:
        return route.ask("DELETE", f"/toxics/{names.pop(rng.randrange(len(names)))}").status
    return 200


def test_nothing_is_lost_while_toxics_come_and_go(route: Route) -> None:
    """Twelve clients get every byte back, in order, and nothing is held when all is over."""
    rng, names = random.Random(11), list[str]()  # noqa: S311
    with echoing(route), ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [pool.submit(exchange, route, seed) for seed in range(_CLIENTS)]
        statuses, number = set[int](), 0
        while number < _CHANGES or not all(client.done() for client in clients):
            statuses.add(churn(route, rng, names, number))
            number += 1
        results = [client.result() for client in clients]

    assert all(results)
    assert statuses <= {200, 204}
    assert route.figures()["touched"] > 10
    assert route.figures()["bytes_held"] == 0
