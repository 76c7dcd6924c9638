"""Asks one replica for its health, as a kubelet would, and notes every answer in the history.

Each round asks all surfaces at once: see surfaces.py. What decides about routing is grpc.health.v1,
or ServerReady where the service does not offer it.

The way from the probe to the replica can be led elsewhere while the probe runs. That is how
readiness is corrupted, whatever the image: what then answers is not the replica::

    Prober ── ProbePath ──┬── the replica
                          └── whoever a fault has put between them (interposer.py)
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.history import Value
from harness.liveness import Liveness
from harness.recorder import Recorder
from harness.settings import Probes
from harness.surfaces import Answer, Surfaces, Way, channel, readiness

__all__ = ["Answer", "Heard", "ProbePath", "Prober", "channel", "readiness"]

_ROUNDS_KEPT = 100

Told = Callable[[str, bool], None]
Unlive = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """One round of the platform's probe: when it was asked, and what it was told."""

    time_s: float
    answers: Mapping[str, Answer]


class ProbePath:
    """The way that the platform's probe takes to one replica, and what it heard at its end."""

    def __init__(self, direct: Way, model: str, settings: Probes) -> None:
        self.direct = direct
        self.model = model
        self.settings = settings
        self._way = direct
        self._heard: deque[Heard] = deque(maxlen=_ROUNDS_KEPT)
        self._is_over = False

    @property
    def way(self) -> Way:
        """Where the next round will ask."""
        return self._way

    @property
    def is_over(self) -> bool:
        """Whether the platform asks this replica no more."""
        return self._is_over

    def lead(self, way: Way) -> None:
        """From the next round on, ask there; the count of failures goes on."""
        self._way = way

    def straighten(self) -> None:
        """From the next round on, ask the replica itself."""
        self._way = self.direct

    def heard_since(self, time_s: float) -> list[Heard]:
        """The rounds that began after an instant, oldest first."""
        return [each for each in list(self._heard) if each.time_s >= time_s]

    def note(self, heard: Heard) -> None:
        """Remember one more round: the probe's own business."""
        self._heard.append(heard)

    def end(self) -> None:
        """There will be no more rounds: the probe's own business."""
        self._is_over = True


class Prober(threading.Thread):
    """Probes one replica until told to stop; says when readiness changes."""

    def __init__(
        self,
        replica: str,
        grpc_address: str,
        http_address: str | None,
        model: str,
        settings: Probes,
        recorder: Recorder,
        told: Told,
        unlive: Unlive,
    ) -> None:
        super().__init__(name=f"probe-{replica}", daemon=True)
        self.path = ProbePath(Way(grpc_address, http_address), model, settings)
        self._replica = replica
        self._settings = settings
        self._recorder = recorder
        self._told = told
        self._unlive = unlive
        self._liveness = Liveness(settings.period_s, settings.liveness_failures)
        self._ended = threading.Event()
        self._ready = False
        self._failures = 0
        self._asking = self.path.way
        self._surfaces = self._connected()

    def stop(self) -> None:
        """Ask nothing more."""
        self._ended.set()
        self.path.end()

    def run(self) -> None:
        """Probe in rounds: often until the replica is ready, then at the platform's period."""
        number = 0
        next_s = time.monotonic()
        try:
            while not self._ended.is_set():
                self._round(number)
                number += 1
                period_s = (
                    self._settings.period_s if self._ready else self._settings.startup_period_s
                )
                next_s = max(next_s + period_s, time.monotonic())
                self._ended.wait(next_s - time.monotonic())
        finally:
            self._surfaces.close()

    def _connected(self) -> Surfaces:
        return Surfaces(self._asking, self.path.model, self._settings.timeout_s)

    def _round(self, number: int) -> None:
        if self.path.way != self._asking:
            self._asking = self.path.way
            self._surfaces.close()
            self._surfaces = self._connected()
        began_s = time.monotonic()
        answers = self._surfaces.ask(http=self._ready)
        if self._ended.is_set():
            return  # it died under the question
        self._note(number, answers)
        self.path.note(Heard(began_s, answers))
        self._decide(readiness(answers) is True)
        live = answers["ServerLive"]
        if self._liveness.heard(live.answer, live.code, time.monotonic()):
            self._unlive(self._replica)

    def _note(self, number: int, answers: Mapping[str, Answer]) -> None:
        interposed = self._asking != self.path.direct
        for surface, each in answers.items():
            details: dict[str, Value] = {
                "surface": surface,
                "answer": each.answer,
                "code": each.code,
                "latency_ms": round(each.latency_ms, 3),
                "round": number,
            }
            if interposed:  # a fault answered, or had its hand in the answer
                details["interposed"] = True
            self._recorder.event("probe", self._replica, details)

    def _decide(self, ready: bool) -> None:
        """One good answer makes ready; as many bad ones in a row as the settings say, unready."""
        self._failures = 0 if ready else self._failures + 1
        changed = not self._ready if ready else self._failures == self._settings.failures
        if changed and ready != self._ready:
            self._ready = ready
            self._told(self._replica, ready)
