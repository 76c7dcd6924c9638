"""One JSON line on stdout per lifecycle event; never one per request, never a secret."""

import json
import sys
from datetime import UTC, datetime

Field = str | int | float | bool | None | list[str]


class EventLog:
    """Writes lifecycle events, each stamped with the replica it happened on."""

    def __init__(self, replica: str) -> None:
        self._replica = replica

    def info(self, event: str, **fields: Field) -> None:
        """Report something that was meant to happen."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Field) -> None:
        """Report something that the service is going to repair by itself."""
        self._write("warning", event, fields)

    def problem(
        self, event: str, *, expected: str, seen: str, action: str, **fields: Field
    ) -> None:
        """Report something that a person has to repair, and how."""
        self._write("error", event, {"expected": expected, "seen": seen, "do": action, **fields})

    def _write(self, level: str, event: str, fields: dict[str, Field]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": level, "event": event, "replica": self._replica, **fields}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()  # a platform reads the last words of a dead process
