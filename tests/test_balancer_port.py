"""The port of the balancer: one that nobody listens on, and the same for the same choice."""

import random
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from harness.errors import PlatformError
from harness.platforms import balancer


@pytest.fixture
def taken() -> Iterator[int]:
    """The first port that the choice of seed 7 would try, taken by somebody."""
    port = first_choice()
    with socket.socket() as somebody:
        with suppress(OSError):  # a stranger has it: as good
            somebody.bind(("127.0.0.1", port))
        yield port


def first_choice() -> int:
    """The port that is tried first with seed 7."""
    return random.Random(7).sample(balancer._PORTS, 200)[0]  # noqa: S311  # picks a port


def chosen() -> int:
    """The port that is found with seed 7."""
    return balancer.free_port(random.Random(7))  # noqa: S311  # picks a port


def test_free_port_can_be_listened_on() -> None:
    """The port is free: a server can take it at once."""
    port = chosen()

    assert port in balancer._PORTS
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))


def test_same_choice_same_port() -> None:
    """The same choice leads to the same port as long as nobody takes it."""
    assert chosen() == chosen()


def test_taken_port_is_passed_over(taken: int) -> None:
    """A port that somebody holds is not given out."""
    assert chosen() != taken


def test_all_taken(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Where all ports that were tried are taken, the error says which were tried."""
    monkeypatch.setattr(balancer, "_PORTS", [taken] * 200)

    with pytest.raises(
        PlatformError, match=f"no free port on 127.0.0.1 .* from {taken} to {taken}"
    ):
        chosen()


def test_below_the_outgoing_ports() -> None:
    """No port comes from the range that Linux gives to outgoing connections, 32768 and up."""
    assert max(balancer._PORTS) < 32_768
