"""The backing services of a run: started side by side, filled with the model, read for records."""

import csv
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from harness.platforms import backing
from harness.platforms.containers import Container
from harness.platforms.grounds import Grounds
from harness.platforms.targets import ContainerTarget
from harness.tables import RECORD, Table, table


class BackingServices:
    """Database, cache and object store: what the settings ask for."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._secrets = backing.Secrets.make()
        self._running: dict[str, Container] = {}

    def start(self) -> None:
        """Return when all can be used, and the store holds the model."""
        kinds = [backing.KINDS[name] for name in self._grounds.settings.platform.backing]
        with ThreadPoolExecutor(max(len(kinds), 1)) as pool:
            for _ in pool.map(self._start_one, kinds):
                pass

    def _start_one(self, kind: backing.Kind) -> None:
        grounds = self._grounds
        image = grounds.blueprint.images[kind.name]
        grounds.recorder.event("backing.ordered", kind.name)
        spec = replace(
            grounds.spec(kind.name, kind.name, {kind.port: None}, image),
            alias=kind.name,
            environment=kind.environment(self._secrets),
            memory_mb=kind.memory_mb,
            volumes={grounds.volume(kind.name): kind.data} if kind.data else {},
        )
        container = Container(spec)
        container.start()
        grounds.recorder.event("backing.started", kind.name, {"image": image})
        backing.await_usable(kind, container)
        artifact = grounds.blueprint.artifact
        if kind.name == "store" and artifact is not None:
            backing.upload(container, self._secrets, artifact)
        grounds.recorder.event("backing.ready", kind.name)
        self._running[kind.name] = container

    def died(self, name: str) -> bool:
        """Whether it was one of these that died."""
        if name not in self._running:
            return False
        self._grounds.recorder.event("backing.died", name)
        return True

    def targets(self) -> Sequence[ContainerTarget]:
        """Those that run, as targets of faults."""
        return [
            ContainerTarget(container, backing.KINDS[name].port, lambda: False)
            for name, container in sorted(self._running.items())
        ]

    def placeholders(self) -> Mapping[str, str]:
        """What the service's environment may refer to."""
        secret = self._secrets
        artifact = self._grounds.blueprint.artifact
        return {
            "model_digest": artifact.digest if artifact else "",
            "database_url": f"postgresql://mayfly:{secret.database}@database:5432/mayfly",
            "cache_url": f"redis://:{secret.cache}@cache:6379/0",
            "store_url": "http://store:8333",
            "store_bucket": backing.BUCKET,
            "store_key": secret.store_key,
            "store_secret": secret.store_secret,
        }

    def records(self, prefix: str) -> Table | None:
        """What was recorded under ids with this prefix; None where nobody may look inside."""
        offered = self._grounds.settings.service.records
        if offered is None or "database" not in self._running:
            return None
        query = offered.query.strip().rstrip(";").replace("{prefix}", prefix)
        output = self._running["database"].run(
            *("psql", "--no-psqlrc", "-h", "/tmp", "-U", "postgres", "-d", "mayfly"),  # noqa: S108
            *("-c", f"COPY ({query}) TO STDOUT WITH (FORMAT csv)"),
        )
        return _records(output.decode())

    def logs(self) -> Mapping[str, bytes]:
        """All that each has written."""
        return {name: container.output() for name, container in self._running.items()}


def _records(text: str) -> Table:
    """Rows of the query, one for each id: how often the id occurs is what ``copies`` says."""
    rows: dict[str, list[tuple[str, str, int]]] = {}
    for request_id, replica, digest, executions in csv.reader(io.StringIO(text)):
        rows.setdefault(request_id, []).append((replica, digest[:16], int(executions)))
    return table(
        RECORD,
        (
            (request_id, copies[0][0], copies[0][1], len(copies), sum(c[2] for c in copies))
            for request_id, copies in rows.items()
        ),
    )
