"""Real backing services for the service's tests, in containers made from the harness's images."""

import asyncio
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from harness import engine
from harness.images import build
from harness.platforms.backing import accepts_connections
from harness.platforms.ownership import Ownership
from harness.service import read

ACCESS_KEY_ID = "mayfly"
SECRET_ACCESS_KEY = "mayfly-secret-key"
PASSWORD = "mayfly-password"
BUCKET = "models"
_RESILIENCE = Path(__file__).parents[2] / "resilience.toml"
_WITHIN_S = 30.0


def free_port() -> int:
    """Ask the kernel for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One backing service that can be stopped, started again, frozen and thawed."""

    def __init__(
        self, name: str, port_inside: int, environment: Mapping[str, str], owner: Ownership
    ) -> None:
        self.port = free_port()
        self._client = engine.connect()
        base = read(_RESILIENCE).platform.base_image
        image = build.ensure(self._client, [build.BACKING[name]], base, pytest.fail)[name]
        self._container = self._client.containers.create(
            image,
            environment=dict(environment),
            labels=owner.labels(name),
            ports={f"{port_inside}/tcp": ("127.0.0.1", self.port)},
        )

    def start(self) -> None:
        """Start and wait until it takes connections."""
        self._container.start()
        self.await_connections()

    def await_connections(self) -> None:
        """Wait until it takes connections."""
        give_up_s = time.monotonic() + _WITHIN_S
        while not accepts_connections(self.port):
            if time.monotonic() > give_up_s:
                pytest.fail(f"no connection after {_WITHIN_S} s: {self._container.logs(tail=5)!r}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and wait until it is gone; it can be started again."""
        self._container.reload()
        if self._container.status == "paused":
            self._container.unpause()
        self._container.stop(timeout=5)

    def freeze(self) -> None:
        """Keep the connections and answer nothing: what a black hole looks like."""
        self._container.pause()

    def thaw(self) -> None:
        """Go on answering."""
        self._container.unpause()

    def remove(self) -> None:
        """Leave nothing behind."""
        self._container.remove(force=True, v=True)
        self._client.close()


class Postgres(Server):
    """A PostgreSQL of our own."""

    def __init__(self, owner: Ownership) -> None:
        super().__init__("database", 5432, {"POSTGRES_PASSWORD": PASSWORD}, owner)
        self.url = f"postgresql://mayfly:{PASSWORD}@127.0.0.1:{self.port}/mayfly"

    def start(self) -> None:
        """Start and wait until it takes queries; it listens a little sooner."""
        super().start()
        give_up_s = time.monotonic() + _WITHIN_S
        while True:
            try:
                self.query("SELECT 1")
            except (asyncpg.CannotConnectNowError, OSError):
                assert time.monotonic() < give_up_s, f"no query was taken for {_WITHIN_S} s"
                time.sleep(0.02)
            else:
                return

    def query(self, text: str, *values: object) -> list[dict[str, object]]:
        """Ask one question."""

        async def ask() -> list[dict[str, object]]:
            connection = await asyncpg.connect(self.url)
            try:
                return [dict(row) for row in await connection.fetch(text, *values)]
            finally:
                await connection.close()

        return asyncio.run(ask())


class Redis(Server):
    """A Redis that keeps nothing on disk."""

    def __init__(self, owner: Ownership) -> None:
        super().__init__("cache", 6379, {"REDIS_PASSWORD": PASSWORD}, owner)
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}"


class ObjectStore(Server):
    """A SeaweedFS that speaks S3, with one bucket."""

    def __init__(self, owner: Ownership) -> None:
        credentials = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "S3_BUCKET": BUCKET,
        }
        super().__init__("store", 8333, credentials, owner)
        self.url = f"http://127.0.0.1:{self.port}"

    def put(self, key: str, content: bytes) -> None:
        """Store an object; the gateway answers a little before it can store anything."""
        store = S3Store(
            BUCKET,
            endpoint=self.url,
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
            region="us-east-1",
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        give_up_s = time.monotonic() + _WITHIN_S
        while True:
            try:
                obstore.put(store, key, content)
            except BaseError:
                assert time.monotonic() < give_up_s, f"nothing was stored for {_WITHIN_S} s"
                time.sleep(0.05)
            else:
                return
