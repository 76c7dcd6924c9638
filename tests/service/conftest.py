"""Backing services for the session, and replicas that use them."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obstore
import pytest
from obstore.store import S3Store

from tests.service.backing import (
    ACCESS_KEY_ID,
    BUCKET,
    SECRET_ACCESS_KEY,
    Postgres,
    Server,
    make_object_store,
    make_redis,
)
from tests.service.running import PACKAGES, Replica

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
def postgres() -> Iterator[Postgres]:
    """Run PostgreSQL for the session."""
    path = Path(tempfile.mkdtemp(prefix="mayfly-postgres-"))
    server = Postgres(path)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def redis() -> Iterator[Server]:
    """Run Redis for the session."""
    server = make_redis()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def object_store(digest: str) -> Iterator[Server]:
    """Run SeaweedFS for the session, with the model in it."""
    path = Path(tempfile.mkdtemp(prefix="mayfly-weed-"))
    server = make_object_store(path)
    server.start()
    store = S3Store(
        BUCKET,
        endpoint=f"http://127.0.0.1:{server.port}",
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    for name in ("model.onnx", "manifest.json"):
        obstore.put(store, f"{digest}/{name}", (MODEL_DIR / name).read_bytes())
    obstore.put(store, f"{'0' * 64}/model.onnx", (MODEL_DIR / "model.onnx").read_bytes())
    manifest = (MODEL_DIR / "manifest.json").read_text().replace(digest, "0" * 64)
    obstore.put(store, f"{'0' * 64}/manifest.json", manifest.encode())
    yield server
    server.stop()
    shutil.rmtree(path, ignore_errors=True)


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
def s3_settings(object_store: Server) -> dict[str, str]:
    """Give the settings that fetch the model from the object store."""
    return {
        "MODEL_SOURCE": "s3",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{object_store.port}",
        "S3_BUCKET": BUCKET,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }
