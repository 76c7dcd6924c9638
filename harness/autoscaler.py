"""How many replicas the load asks for, as the Kubernetes HorizontalPodAutoscaler would decide it.

Pure: readings go in, decisions come out, the clock is a parameter. What reads the balancer and
changes the fleet lives in platforms/.

Sources: Kubernetes' page "Horizontal Pod Autoscaling" (algorithm details, default behaviour,
stabilisation window, scaling policies), whose numbers stand in shared/contract.md, section B, row
"scale": synchronisation every 15 s, tolerance 0.1, up window 0 s, +100 % or +4 replicas in 15 s
whichever is more, down window 300 s, -100 % in 15 s. The metric is calls in flight per replica, as
Knative's autoscaler counts them, because it tells of a queue where processor time cannot.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from harness.settings import Autoscaling

UP_PERCENT = 100
UP_REPLICAS = 4
DOWN_PERCENT = 100
POLICY_PERIOD_S = 15.0
_ROUNDING = 1e-6  # 0.3 / 0.1 is a little more than 3, and asks for no fourth replica


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen when a decision was due."""

    in_flight: float  # calls at the balancer, mean over the period
    replicas: int  # wanted now, ready or not
    ready: int  # of these


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas there are to be from now on, and why."""

    replicas: int  # before
    wanted: int
    in_flight: float
    per_replica: float | None  # calls in flight per ready replica; None: none was ready

    @property
    def changes(self) -> bool:
        """Whether the fleet is to grow or to shrink."""
        return self.wanted != self.replicas


@dataclass(slots=True)
class Autoscaler:
    """Decides once per period. All times of the settings are multiplied by ``time_scale``."""

    settings: Autoscaling
    time_scale: float = 1.0
    _recommended: deque[tuple[float, int]] = field(default_factory=deque)
    _changes: deque[tuple[float, int]] = field(default_factory=deque)  # replicas added or taken

    @property
    def period_s(self) -> float:
        """Seconds between two decisions."""
        return self.settings.sync_period_s * self.time_scale

    def decide(self, reading: Reading, now_s: float) -> Decision:
        """What this reading asks for, held back by windows, limits, least and most."""
        replicas, least, most = (
            reading.replicas,
            self.settings.min_replicas,
            self.settings.max_replicas,
        )
        if not least <= replicas <= most:  # the bounds were changed: metrics have no say in that
            wanted = min(max(replicas, least), most)
        else:
            if not self._recommended:  # what there is counts as recommended: nothing falls at once
                self._recommended.append((now_s, replicas))
            recommended = recommendation(reading, self.settings)
            wanted = self._limited(replicas, self._stable(replicas, recommended, now_s), now_s)
        if wanted != replicas:
            self._changes.append((now_s, wanted - replicas))
        per_replica = reading.in_flight / reading.ready if reading.ready else None
        return Decision(replicas, wanted, reading.in_flight, per_replica)

    def _stable(self, replicas: int, recommended: int, now_s: float) -> int:
        """Up to the least, down to the most, that was recommended within the window."""
        up_s = now_s - self.settings.up_window_s * self.time_scale
        down_s = now_s - self.settings.down_window_s * self.time_scale
        while self._recommended and self._recommended[0][0] <= min(up_s, down_s):
            self._recommended.popleft()
        lowest = min([recommended, *(n for at_s, n in self._recommended if at_s > up_s)])
        highest = max([recommended, *(n for at_s, n in self._recommended if at_s > down_s)])
        self._recommended.append((now_s, recommended))
        return min(max(replicas, lowest), highest)

    def _limited(self, replicas: int, wanted: int, now_s: float) -> int:
        """No further than the policies allow within one period, counted from its beginning."""
        since_s = now_s - POLICY_PERIOD_S * self.time_scale + _ROUNDING
        while self._changes and self._changes[0][0] <= since_s:
            self._changes.popleft()
        at_first = replicas - sum(change for _, change in self._changes)
        highest = max(at_first + UP_REPLICAS, math.ceil(at_first * (1 + UP_PERCENT / 100)))
        lowest = math.floor(at_first * (1 - DOWN_PERCENT / 100))
        highest = max(min(highest, self.settings.max_replicas), replicas)
        lowest = min(max(lowest, self.settings.min_replicas), replicas)
        return min(max(wanted, lowest), highest)


def recommendation(reading: Reading, settings: Autoscaling) -> int:
    """ceil(in flight / target), unless that is within the tolerance of what there is.

    Replicas that are not ready yet count as idle when the fleet would grow, so that a burst that
    meets a cold start does not call for more than it needs; when it would shrink they are left out.
    """
    if not reading.ready:
        return reading.replicas  # nobody is there to be measured
    target = settings.target_in_flight
    ratio = reading.in_flight / reading.ready / target
    if ratio > 1:
        ratio = max(reading.in_flight / reading.replicas / target, 1.0)
    if abs(ratio - 1) <= settings.tolerance + _ROUNDING:
        return reading.replicas
    return math.ceil(reading.in_flight / target - _ROUNDING)
