"""Backing services for the session, and replicas that use them."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from harness.directories import new_run_id
from harness.platforms.ownership import Ownership
from tests.service.backing import (
    ACCESS_KEY_ID,
    BUCKET,
    SECRET_ACCESS_KEY,
    ObjectStore,
    Postgres,
    Redis,
    Server,
)
from tests.service.running import PACKAGES, Replica

AnyServer = TypeVar("AnyServer", bound=Server)

MODEL_DIR = PACKAGES / "service_under_test" / "models" / "v1"


@dataclass(frozen=True, slots=True)
class Golden:
    """What the model must answer."""

    images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"
    probabilities: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"
    labels: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"


@pytest.fixture(scope="session")
def golden() -> Golden:
    """Read the golden cases that came with the model."""
    with np.load(MODEL_DIR / "golden.npz") as cases:
        return Golden(cases["input.image"], cases["output.probabilities"], cases["output.label"])


@pytest.fixture(scope="session")
def digest() -> str:
    """Read the digest that the manifest declares."""
    return str(json.loads((MODEL_DIR / "manifest.json").read_text())["sha256"])


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that another user may enter, as pytest's own may not be."""
    path = Path(tempfile.mkdtemp(prefix="mayfly-service-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def owner() -> Iterator[Ownership]:
    """Own the containers of this session: should it die, the next run removes them."""
    claim = Ownership(new_run_id())
    yield claim
    claim.close()


@pytest.fixture(scope="session")
def postgres(owner: Ownership) -> Iterator[Postgres]:
    """Run PostgreSQL for the session."""
    yield from running(Postgres(owner))


@pytest.fixture(scope="session")
def redis(owner: Ownership) -> Iterator[Redis]:
    """Run Redis for the session."""
    yield from running(Redis(owner))


@pytest.fixture(scope="session")
def object_store(digest: str, owner: Ownership) -> Iterator[ObjectStore]:
    """Run SeaweedFS for the session, with the model in it, and once more under a wrong digest."""
    for server in running(ObjectStore(owner)):
        model = (MODEL_DIR / "model.onnx").read_bytes()
        manifest = (MODEL_DIR / "manifest.json").read_text()
        for name in (digest, "0" * 64):
            server.put(f"{name}/model.onnx", model)
            server.put(f"{name}/manifest.json", manifest.replace(digest, name).encode())
        yield server


def running(server: AnyServer) -> Iterator[AnyServer]:
    """Start it, and leave nothing of it."""
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def start(postgres: Postgres, digest: str) -> Iterator[Callable[..., Replica]]:
    """Start replicas with the baked model and no cache, unless told otherwise."""
    with ExitStack() as stack:

        def start_one(**settings: str) -> Replica:
            defaults = {
                "MODEL_SOURCE": "baked",
                "MODEL_DIR": str(MODEL_DIR),
                "MODEL_DIGEST": digest,
                "DATABASE_URL": postgres.url,
                "REPLICA_NAME": "replica-1",
                "CPU_LIMIT": "1",
                "PROPAGATION_S": "3",
            }
            return stack.enter_context(Replica(defaults | settings))

        yield start_one


@pytest.fixture(scope="session")
def shared_replica(postgres: Postgres, digest: str) -> Iterator[Replica]:
    """Run one replica that no test harms."""
    settings = {
        "MODEL_SOURCE": "baked",
        "MODEL_DIR": str(MODEL_DIR),
        "MODEL_DIGEST": digest,
        "DATABASE_URL": postgres.url,
        "REPLICA_NAME": "shared",
    }
    with Replica(settings) as replica:
        yield replica.ready()


@pytest.fixture
def s3_settings(object_store: ObjectStore) -> dict[str, str]:
    """Give the settings that fetch the model from the object store."""
    return {
        "MODEL_SOURCE": "s3",
        "S3_ENDPOINT_URL": object_store.url,
        "S3_BUCKET": BUCKET,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }
