"""One real server for the load tests, and plans that aim at it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.load.plan import Engine, Plan
from tests.load.serving import Served


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve for a session: a server that no test may kill."""
    with Served(tmp_path_factory.mktemp("golden") / "golden.npz") as server:
        yield server


@pytest.fixture
def server(shared_server: Served) -> Served:
    """Share one server, giving golden answers until told otherwise."""
    shared_server.behave("golden")
    return shared_server


@pytest.fixture
def golden(shared_server: Served) -> Path:
    """Name the golden file that the shared server answers from."""
    return shared_server.golden


@pytest.fixture(scope="session", params=["http2", "grpc"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Name the engine; what a plan is for holds for both."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def plan(shared_server: Served, engine: Engine) -> Callable[..., Plan]:
    """Make a plan for the shared server, 200 requests a second unless said otherwise."""
    return partial(
        Plan,
        address=shared_server.address,
        rate_rps=200.0,
        schedule="constant",
        seed=7,
        deadline_s=2.0,
        id_prefix="test-",
        golden=shared_server.golden,
        model_name="model",
        engine=engine,
    )
