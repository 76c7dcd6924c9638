"""Collects what happens during a run, from all threads, on one clock."""

import threading
import time
from collections.abc import Mapping

from harness.history import Event, Value
from harness.tables import USAGE, Table, table


class Recorder:
    """The run's memory: events and samples of resource usage. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._events: list[Event] = []
        self._usage: list[tuple[str, float, float, float, float]] = []

    def event(
        self,
        kind: str,
        subject: str,
        details: Mapping[str, Value] | None = None,
        time_s: float | None = None,
    ) -> Event:
        """Record that something happened: now, or at the given instant of ``time.monotonic``."""
        with self._lock:
            event = Event(
                time.monotonic() if time_s is None else time_s, kind, subject, details or {}
            )
            self._events.append(event)
            self._lock.notify_all()
            return event

    def usage(self, container: str, cpu_s: float, memory_bytes: float, throttled_s: float) -> None:
        """Record what a container uses now."""
        with self._lock:
            self._usage.append((container, time.monotonic(), cpu_s, memory_bytes, throttled_s))

    def events(self, until_s: float = float("inf")) -> tuple[Event, ...]:
        """All events up to an instant, in order of time."""
        with self._lock:
            events = [event for event in self._events if event.time_s <= until_s]
        return tuple(sorted(events, key=lambda event: event.time_s))

    def usage_between(self, began_s: float, ended_s: float) -> Table:
        """Samples inside a stretch of time."""
        with self._lock:
            rows = [row for row in self._usage if began_s <= row[1] <= ended_s]
        return table(USAGE, rows)
