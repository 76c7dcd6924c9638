"""The backing services of a run: started side by side, filled with the model, read for records."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from harness.errors import PlatformError
from harness.platform import End
from harness.platforms import backing
from harness.platforms.backing_service import BackingService
from harness.platforms.containers import Container
from harness.platforms.grounds import Grounds
from harness.platforms.targets import ContainerTarget
from harness.tables import RECORD, Table, table

_NO_SUCH_TABLE = re.compile(r"ERROR:  42P01: (.*)")
_DATABASE_WITHIN_S = 30.0  # away for a moment, as it may be after a fault


class BackingServices:
    """Database, cache and object store: what the settings ask for."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self.secrets = backing.Secrets.make()
        self._services: dict[str, BackingService] = {}

    def start(self) -> None:
        """Return when all can be used, and the store holds the model."""
        for name in self._grounds.settings.platform.backing:
            kind = backing.KINDS[name]
            self._services[name] = BackingService(kind, self._grounds, self.secrets)
        with ThreadPoolExecutor(max(len(self._services), 1)) as pool:
            for _ in pool.map(BackingService.start, self._services.values()):
                pass

    def died(self, name: str, end: End) -> bool:
        """Whether it was one of these that died; if so, it is started again."""
        service = self._services.get(name)
        if service is None:
            return False
        service.container.ended(end)
        service.died(end)
        return True

    def running(self) -> Mapping[str, Container]:
        """Those that were started, by the name of their kind."""
        return {name: each.container for name, each in sorted(self._services.items())}

    def are_usable(self) -> bool:
        """Whether every one of them can be used now."""
        return all(each.is_usable() for each in self._services.values())

    def targets(self) -> Sequence[ContainerTarget]:
        """Those that can be used now, as targets of faults."""
        return [each.target() for _, each in sorted(self._services.items()) if each.is_usable()]

    def close(self) -> None:
        """Start none of them again."""
        for each in self._services.values():
            each.close()

    def placeholders(self, proxy: str | None = None) -> Mapping[str, str]:
        """What the service's environment may refer to; with a proxy's name its ports instead."""
        secret = self.secrets
        artifact = self._grounds.blueprint.artifact
        database = proxy or "database"
        return {
            "model_digest": artifact.digest if artifact else "",
            "database_url": f"postgresql://mayfly:{secret.database}@{database}:5432/mayfly",
            "cache_url": f"redis://:{secret.cache}@{proxy or 'cache'}:6379/0",
            "store_url": f"http://{proxy or 'store'}:8333",
            "store_bucket": backing.BUCKET,
            "store_key": secret.store_key,
            "store_secret": secret.store_secret,
        }

    def records(self, prefix: str, asked_s: float | None = None) -> Table | None:
        """What was recorded under ids with this prefix; None where nobody may look inside.

        A service that never made its table has recorded nothing: that is for its clauses to judge.
        """
        offered = self._grounds.settings.service.records
        database = self._services.get("database")
        if offered is None or database is None:
            return None
        if not self._grounds.wait_until(database.is_usable, _DATABASE_WITHIN_S):
            log = database.container.output(lines=8).decode(errors="replace")
            raise PlatformError(
                f"expected a database to read the records from, but it was not usable within "
                f"{_DATABASE_WITHIN_S:g} s; its last lines:\n{log}"
            )
        query = offered.query.strip().rstrip(";").replace("{prefix}", prefix)
        try:
            output = database.container.run(
                *("psql", "--no-psqlrc", "-h", "/tmp", "-U", "postgres", "-d", "mayfly"),  # noqa: S108
                *("-v", "VERBOSITY=verbose"),  # with the code of an error, which has no language
                *("-c", f"COPY ({query}) TO STDOUT WITH (FORMAT csv)"),
            )
        except PlatformError as error:
            missing = _NO_SUCH_TABLE.search(str(error))
            if missing is None:
                raise
            details = {"why": missing[1].strip()}
            self._grounds.recorder.event("records.missing", "database", details, asked_s)
            return table(RECORD, ())
        return _records(output.decode())

    def logs(self) -> Mapping[str, bytes]:
        """All that each has written."""
        return {name: container.output() for name, container in self.running().items()}


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
