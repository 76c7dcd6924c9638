"""Fixtures of the tests that need a Docker engine."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from harness import engine
from tests.docker.workplace import Workplace


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    connected = engine.connect()
    yield connected
    connected.close()


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """An empty folder to run in."""
    return Workplace(tmp_path)
