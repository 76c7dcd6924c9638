"""One JSON line on stdout per lifecycle event; never one per request, never a secret."""

import json
import math
import sys
import time
import traceback
from datetime import UTC, datetime

REPEAT_AFTER_S = 10.0
Field = str | int | float | bool | None | list[str]


class EventLog:
    """Writes lifecycle events, each stamped with the replica it happened on."""

    def __init__(self, replica: str) -> None:
        self._replica = replica
        self._told_s: dict[str, float] = {}

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

    def failure(self, event: str, error: BaseException) -> None:
        """Report an error that nobody foresaw: where it was, and each kind once in a while.

        Its message is left out, for it may quote a secret.
        """
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
        kind, now_s = f"{type(error).__name__} at {where}", time.monotonic()
        if now_s - self._told_s.get(kind, -math.inf) >= REPEAT_AFTER_S:
            self._told_s[kind] = now_s
            self._write("error", event, {"reason": kind})

    def _write(self, level: str, event: str, fields: dict[str, Field]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": level, "event": event, "replica": self._replica, **fields}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()  # a platform reads the last words of a dead process
