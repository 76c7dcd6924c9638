"""The backing services: what each container is, and when it can be used."""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from harness.errors import PlatformError
from harness.platforms.containers import LOOPBACK, Container
from harness.service import ARTIFACT_FILES, Artifact

_START_TIMEOUT_S = 30.0
_STORE_TIMEOUT = "2s"
BUCKET = "models"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords of one run: made up, given by environment, never logged or stored."""

    database: str
    cache: str
    store_key: str
    store_secret: str

    @classmethod
    def make(cls) -> "Secrets":
        """New ones."""
        return cls(*(secrets.token_hex(16) for _ in range(4)))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of backing service."""

    name: str  # the recipe's name, and its name inside the network
    port: int
    environment: Callable[[Secrets], Mapping[str, str]]
    is_usable: Callable[[Container], bool]
    cpus: float | None = None
    memory_mb: int = 512
    data: str | None = None  # the folder that outlives the container, on a volume


def _database_is_usable(container: Container) -> bool:
    return b"ready to accept connections" in container.output(lines=20)


def _accepts(port: int) -> Callable[[Container], bool]:
    return lambda container: accepts_connections(container.published(port))


KINDS = {
    "database": Kind(
        "database",
        5432,
        lambda secret: {"POSTGRES_PASSWORD": secret.database},
        _database_is_usable,
        data="/data",
    ),
    "cache": Kind("cache", 6379, lambda secret: {"REDIS_PASSWORD": secret.cache}, _accepts(6379)),
    "store": Kind(
        "store",
        8333,
        lambda secret: {
            "AWS_ACCESS_KEY_ID": secret.store_key,
            "AWS_SECRET_ACCESS_KEY": secret.store_secret,
            "S3_BUCKET": BUCKET,
        },
        _accepts(8333),
        memory_mb=1024,
        data="/data",
    ),
}


def accepts_connections(port: int) -> bool:
    """Whether somebody behind the port on 127.0.0.1 takes connections and keeps them.

    The engine's own proxy accepts for a container that does not listen yet, and hangs up at once:
    so a connection counts only if it is still there a moment later.
    """
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as link:
            link.settimeout(0.02)
            return link.recv(1) != b""
    except TimeoutError:
        return True  # open, and nothing to say: a server that waits for its client
    except OSError:
        return False


def await_usable(kind: Kind, container: Container) -> None:
    """Return when it can be used. Raises PlatformError with its log where it cannot in time."""
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    pause = threading.Event()
    while not kind.is_usable(container):
        if time.monotonic() > deadline_s or not container.is_running():
            log = container.output(lines=8).decode(errors="replace")
            raise PlatformError(
                f"{kind.name} was not usable within {_START_TIMEOUT_S:g} s; its last lines:\n{log}"
            )
        pause.wait(0.02)


def upload(container: Container, secret: Secrets, artifact: Artifact) -> None:
    """Put model and manifest into the store under the model's digest."""
    store = S3Store(
        BUCKET,
        endpoint=f"http://{LOOPBACK}:{container.published(KINDS['store'].port)}",
        access_key_id=secret.store_key,
        secret_access_key=secret.store_secret,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": _STORE_TIMEOUT},
        retry_config={"max_retries": 0},
    )
    for name in ARTIFACT_FILES:
        _put(store, f"{artifact.digest}/{name}", (artifact.folder / name).read_bytes(), container)


def _put(store: S3Store, key: str, content: bytes, container: Container) -> None:
    """The gateway answers before its volumes exist: try until it takes the object."""
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    pause = threading.Event()
    while True:
        try:
            obstore.put(store, key, content)
        except BaseError as error:
            if time.monotonic() > deadline_s:
                log = container.output(lines=8).decode(errors="replace")
                raise PlatformError(
                    f"the object store did not take {key} within {_START_TIMEOUT_S:g} s ({error}); "
                    f"its last lines:\n{log}"
                ) from error
            pause.wait(0.05)
        else:
            return
