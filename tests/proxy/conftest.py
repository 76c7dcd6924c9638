"""One program for all tests of a session, and a proxy of its own for each test."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.proxy.program import Pair, Program, Route


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A proxy program that runs."""
    with Program(tmp_path_factory.mktemp("program"), SEED="1") as running:
        yield running


@pytest.fixture
def route(program: Program) -> Iterator[Route]:
    """A proxy and its upstream."""
    made = Route(program, uuid4().hex)
    yield made
    made.close()


@pytest.fixture(params=["existing", "new"])
def age(request: pytest.FixtureRequest) -> str:
    """Whether the connection is older than the toxic."""
    return str(request.param)


@pytest.fixture(params=["upstream", "downstream"])
def stream(request: pytest.FixtureRequest) -> str:
    """The direction that the toxic acts on."""
    return str(request.param)


@pytest.fixture
def old(route: Route, age: str) -> Pair | None:
    """A connection that exists before any toxic, where the test is about one."""
    return route.connect() if age == "existing" else None
