"""The model store: that a replica which starts without it comes up by itself, and right."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.clauses._faults import STORE, aimed_at, healing_s, is_away, over_s
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import FaultRecord, History
from harness.serving import answered_by
from harness.tables import WRONG

_STOPPED_ON_REQUEST = (0, 143)


@clause("S7", "A replica that starts while the model store is away becomes ready by itself")
def start_heals_itself(history: History, limits: Limits) -> Finding:
    """Each start under a fault of the store: when it was ready, and with which model."""
    fleet = lives(history.events)
    starts = [
        _Start(life, _heir(life, fleet), fault, limits)
        for fault in aimed_at(history, STORE)
        for life in fleet.values()
        if fault.injected_s <= life.ordered_s <= healing_s(fault)
    ]
    starts = [start for start in starts if not start.is_excused(history)]
    if not starts:
        reason = "no replica was ordered while the model store was disturbed"
        return missing(limits.store_heal_s, "s", reason)
    theirs = {life.name for start in starts for life in (start.life, start.heir)}
    known = {(life.version, life.digest) for life in fleet.values() if life.name not in theirs}
    evidence = few(start.told(history) for start in starts)
    for start in starts:
        wrong = start.wrong(history, fleet, known)
        if wrong:
            return Finding(False, 0, 1, "wrong models", f"{start.heir.name} {wrong}", evidence)
    worst = max(starts, key=lambda start: start.waited_s(history) / start.budget_s)
    waited_s, budget_s = worst.waited_s(history), worst.budget_s
    if waited_s > budget_s:
        told = worst.told(history)
        return Finding(False, budget_s, round(waited_s, 3), "s", told, evidence)
    lacking = next(filter(None, (start.lacking(known) for start in starts)), None)
    if lacking:
        return missing(budget_s, "s", lacking, evidence)
    sentence = f"{count(len(starts), 'start')}; the slowest: {worst.told(history)}"
    return Finding(True, budget_s, round(waited_s, 3), "s", sentence, evidence)


def _heir(life: Life, fleet: Mapping[str, Life]) -> Life:
    """Who came up in its place: itself, or the last of those that followed on failed starts."""
    successors = {each.predecessor: each for each in fleet.values() if each.predecessor}
    while life.ready_s is None and life.died_s is not None and life.name in successors:
        life = successors[life.name]
    return life


@dataclass(frozen=True, slots=True)
class _Start:
    """One start under a fault of the model store."""

    life: Life
    heir: Life  # the replica that came up in the end, or should have
    fault: FaultRecord
    limits: Limits

    @property
    def budget_s(self) -> float:
        """From the store's return; of a store that is merely slow, from the order."""
        return self.limits.store_heal_s if is_away(self.fault) else self.limits.start_budget_s

    @property
    def from_s(self) -> float:
        """When the budget begins; infinity where the store was never shown to be back."""
        return over_s(self.fault) if is_away(self.fault) else self.life.ordered_s

    def is_excused(self, history: History) -> bool:
        """Whether it was killed by a fault, or sent away, before it could become ready."""
        heir = self.heir
        if heir.ready_s is not None or heir.died_s is None:
            return False
        return self._killed(history) or heir.exit_code in _STOPPED_ON_REQUEST

    def _killed(self, history: History) -> bool:
        """Whether a fault was aimed at it before it ended."""
        heir = self.heir
        return heir.died_s is not None and any(
            heir.name in fault.targets and heir.ordered_s <= fault.injected_s <= heir.died_s
            for fault in history.faults
        )

    def waited_s(self, history: History) -> float:
        """Seconds until it was ready, or so far."""
        until_s = history.ended_s if self.heir.ready_s is None else self.heir.ready_s
        return max(0.0, until_s - self.from_s)

    def wrong(
        self,
        history: History,
        fleet: Mapping[str, Life],
        known: set[tuple[str | None, str | None]],
    ) -> str | None:
        """What shows that it served something else than the whole, right model, or None."""
        heir, tolerance = self.heir, self.limits.golden_tolerance
        if heir.examination_failed is not None and not self._killed(history):
            return f"said that it was ready, and then: {heir.examination_failed}"
        digests = {digest for version, digest in known if digest and version == heir.version}
        if heir.digest and digests and {heir.digest} != digests:
            return f"came up with digest {heir.digest}, others with {', '.join(sorted(digests))}"
        if heir.golden_difference is not None and heir.golden_difference > tolerance:
            return f"is {heir.golden_difference:.3g} away from the golden outputs"
        requests = history.requests
        served = answered_by(requests["replica"], fleet) == list(fleet).index(heir.name)
        false = int(np.count_nonzero(served & (requests["correct"] == WRONG)))
        return f"answered {count(false, 'request')} wrongly" if false else None

    def lacking(self, known: set[tuple[str | None, str | None]]) -> str | None:
        """Why no verdict follows from this start, where it broke nothing, or None."""
        heir = self.heir
        if heir.ready_s is None and not np.isfinite(self.from_s):
            return f"{self.fault.name} was never shown to be over"
        if heir.ready_s is None:
            return f"{heir.name} was not ready yet when the scenario ended"
        if not heir.digest or heir.golden_difference is None:
            return f"{heir.name} was not shown to serve the right model: no digest or difference"
        if not any(digest and version == heir.version for version, digest in known):
            return f"no replica started undisturbed, so {heir.name}'s digest compares with nothing"
        return None

    def told(self, history: History) -> str:
        """What became of it, in words."""
        heir = self.heir
        name = self.life.name if heir is self.life else f"{self.life.name}, followed by {heir.name}"
        since = "after the store was back" if is_away(self.fault) else "after the order"
        waited = (
            f"{self.waited_s(history):.2f} s {since}"
            if self.from_s <= (heir.ready_s or history.ended_s)
            else "before the store was back"
        )
        ready = "ready" if heir.ready_s is not None else "still not ready"
        return (
            f"{name}, ordered at {at(history, self.life.ordered_s)} under {self.fault.name} of "
            f"{', '.join(self.fault.targets)}: {ready} {waited}, digest {heir.digest}"
        )
