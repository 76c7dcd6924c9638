"""Listens to the engine: which containers of the run die, and what the living ones use."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import cast

import docker

from harness.errors import EngineError
from harness.platforms.containers import Container, engine_errors
from harness.platforms.ownership import RUN
from harness.recorder import Recorder

_FOREVER_S = 7 * 24 * 3600

Died = Callable[[str, int, float], None]
"""Called with the container's name in the run, its exit code, and when that was."""


class Watcher:
    """Learns of deaths from the engine's event stream, the moment that they happen."""

    def __init__(self, run_id: str, died: Died, lost: Callable[[EngineError], None]) -> None:
        self._run_id = run_id
        self._died = died
        self._lost = lost
        # A client of its own: an event stream may be silent for long, which is no loss.
        self._client = docker.from_env(timeout=_FOREVER_S)
        self._stream = self._client.events(
            decode=True,
            filters={"type": "container", "event": "die", "label": f"{RUN}={run_id}"},
        )
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="engine-events", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._closing = True
        self._stream.close()
        self._client.close()

    def _listen(self) -> None:
        try:
            with engine_errors("listening for events"):
                for event in self._stream:
                    self._handle(event)
            error = EngineError("the Docker engine closed its event stream in mid-run")
        except EngineError as raised:
            error = raised
        if not self._closing:
            self._lost(error)

    def _handle(self, event: Mapping[str, object]) -> None:
        attributes = cast("Mapping[str, Mapping[str, str]]", event["Actor"])["Attributes"]
        name = attributes["name"].removeprefix(f"{self._run_id}-")
        age_s = time.time() - int(str(event["timeNano"])) / 1e9
        self._died(name, int(attributes.get("exitCode", "-1")), time.monotonic() - max(age_s, 0.0))


def watch_usage(container: Container, recorder: Recorder) -> None:
    """Note what a container uses, about once a second, in a thread that ends with it."""

    def collect() -> None:
        try:
            for sample in container.samples():
                _note(container.name, sample, recorder)
        except EngineError:
            return  # the watcher tells of a lost engine; a container that ends is no loss

    threading.Thread(target=collect, name=f"usage-{container.name}", daemon=True).start()


def _note(name: str, sample: Mapping[str, object], recorder: Recorder) -> None:
    cpu = cast("Mapping[str, Mapping[str, float]]", sample.get("cpu_stats") or {})
    memory = cast("Mapping[str, float]", sample.get("memory_stats") or {})
    if "usage" not in memory:
        return  # the last sample of a container that ended
    recorder.usage(
        name,
        cpu_s=cpu["cpu_usage"]["total_usage"] / 1e9,
        memory_bytes=memory["usage"],
        throttled_s=cpu.get("throttling_data", {}).get("throttled_time", 0) / 1e9,
    )
