"""The autoscaler at work: reads the balancer, decides once per period, changes the fleet."""

import threading
import time
from statistics import fmean

from harness.autoscaler import Autoscaler, Reading
from harness.errors import MayflyError, PlatformError
from harness.platforms.balancer_keeper import BalancerKeeper
from harness.platforms.grounds import Grounds
from harness.platforms.replica_keeper import ReplicaKeeper
from harness.settings import Autoscaling

_SAMPLES = 5
"""Of calls in flight in each period, evenly spread: metrics are means over a stretch of time, and
one look at a Poisson number would scale the fleet for nothing."""


class AutoscalingLoop:
    """Off until it is begun. What it sees and decides is told by ``autoscaler.decided`` events."""

    def __init__(self, grounds: Grounds, balancer: BalancerKeeper, replicas: ReplicaKeeper) -> None:
        self._grounds = grounds
        self._balancer = balancer
        self._replicas = replicas
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, settings: Autoscaling) -> None:
        """Let it decide from now on; where it does already, by these settings from now on."""
        self.end()
        scale = settings.time_scale or self._grounds.settings.platform.time_scale
        self._ended = ended = threading.Event()
        self._thread = threading.Thread(
            target=self._loop, args=(Autoscaler(settings, scale), ended), name="autoscaler"
        )
        self._thread.daemon = True
        self._thread.start()

    def end(self) -> None:
        """Leave the fleet as it is."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _loop(self, autoscaler: Autoscaler, ended: threading.Event) -> None:
        samples: list[int | None] = []
        next_s = time.monotonic()
        try:
            while True:
                # What was missed is left out: late samples, taken all at once, would be one sample.
                next_s = max(next_s + autoscaler.period_s / _SAMPLES, time.monotonic())
                if ended.wait(next_s - time.monotonic()):
                    return
                samples.append(self._balancer.in_flight())
                if len(samples) == _SAMPLES:
                    self._decide(autoscaler, samples, next_s)
                    samples = []
        except MayflyError as error:
            self._grounds.fail(error)
        except Exception as error:
            self._grounds.fail(PlatformError(f"the autoscaler ended by its own fault: {error!r}"))
            raise

    def _decide(self, autoscaler: Autoscaler, samples: list[int | None], now_s: float) -> None:
        seen = [sample for sample in samples if sample is not None]
        recorder = self._grounds.recorder
        if not seen:
            recorder.event("autoscaler.blind", "autoscaler", {"why": "the balancer told nothing"})
            return
        replicas, ready = self._replicas.size()
        decision = autoscaler.decide(Reading(fmean(seen), replicas, ready), now_s)
        per_replica = decision.per_replica
        recorder.event(
            "autoscaler.decided",
            "autoscaler",
            {
                "from": decision.replicas,
                "to": decision.wanted,
                "ready": ready,
                "in_flight": round(decision.in_flight, 2),
                "per_replica": None if per_replica is None else round(per_replica, 2),
            },
        )
        if decision.changes:
            self._replicas.scale(decision.wanted)
