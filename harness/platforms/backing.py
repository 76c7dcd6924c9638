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
from harness.platforms import knocks
from harness.platforms.containers import LOOPBACK, Container
from harness.service import ARTIFACT_FILES, Artifact

_START_TIMEOUT_S = 30.0
_STORE_TIMEOUT = "2s"
_PATIENCE_S = 1.0  # with one knock, while it starts
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
    knock: knocks.Knock
    cpus: float | None = None
    memory_mb: int = 512
    data: str | None = None  # the folder that outlives the container, on a volume


KINDS = {
    "database": Kind(
        "database",
        5432,
        lambda secret: {"POSTGRES_PASSWORD": secret.database},
        knocks.POSTGRESQL,
        data="/data",
    ),
    "cache": Kind("cache", 6379, lambda secret: {"REDIS_PASSWORD": secret.cache}, knocks.REDIS),
    "store": Kind(
        "store",
        8333,
        lambda secret: {
            "AWS_ACCESS_KEY_ID": secret.store_key,
            "AWS_SECRET_ACCESS_KEY": secret.store_secret,
            "S3_BUCKET": BUCKET,
        },
        knocks.S3,
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


def await_usable(kind: Kind, container: Container, give_up: threading.Event) -> bool:
    """Return when it gives a right answer, or has ended, or is given up: whether it is the first.

    Raises PlatformError with its log where it is none of these in time.
    """
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    why = "it was not asked"
    while container.lives[-1].end is None:
        try:
            knocks.round_trip_ms(container.published(kind.port), kind.knock, _PATIENCE_S)
        except OSError as error:
            why = f"{type(error).__name__}: {error}"
        else:
            return True
        if time.monotonic() > deadline_s:
            log = container.output(lines=8).decode(errors="replace")
            raise PlatformError(
                f"{kind.name} was not usable within {_START_TIMEOUT_S:g} s ({why}); its last "
                f"lines:\n{log}"
            )
        if give_up.wait(0.02):
            break
    return False


def upload(container: Container, secret: Secrets, artifact: Artifact) -> None:
    """See to it that the store has model and manifest, under the model's digest."""
    store = client(container, secret)
    for name in ARTIFACT_FILES:
        key, content = f"{artifact.digest}/{name}", (artifact.folder / name).read_bytes()
        if not _holds(store, key, content):
            put(store, key, content, container)


def _holds(store: S3Store, key: str, content: bytes) -> bool:
    try:
        return bytes(obstore.get(store, key).bytes()) == content
    except (BaseError, FileNotFoundError):  # obstore says the one or the other: putting it tells
        return False


def client(container: Container, secret: Secrets) -> S3Store:
    """A client of the store's own door, which no proxy stands before."""
    return S3Store(
        BUCKET,
        endpoint=f"http://{LOOPBACK}:{container.published(KINDS['store'].port)}",
        access_key_id=secret.store_key,
        secret_access_key=secret.store_secret,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": _STORE_TIMEOUT},
        retry_config={"max_retries": 0},
    )


def put(store: S3Store, key: str, content: bytes, container: Container) -> None:
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
