"""A replica that hangs: it leaves rotation, and costs little until then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.clauses._probes import FREEZING
from harness.clauses._wording import at, cite, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import FaultRecord, History
from harness.serving import began_s, sent_to
from harness.tables import Table

_NEEDED = 100  # requests from then on: fewer show no loss of 1 %


@clause("N1", "A replica that hangs leaves rotation and hardly costs a request", needs_load=True)
def frozen_leaves_rotation(history: History, limits: Limits) -> Finding:
    """Requests lost after all retries: soon after the freeze, and once the platform has settled."""
    fleet = lives(history.events)
    freezes = [
        _Freeze.of(fault, history, fleet, limits)
        for fault in history.faults
        if fault.name.startswith(FREEZING) and set(fault.targets) & set(fleet)
    ]
    promised = limits.frozen_loss_share
    lacking = _lacking(freezes, history, fleet, limits)
    if lacking:
        return missing(promised, "share", lacking)
    evidence = few(
        line
        for each in freezes
        for line in (each.told(history), *cite(history, each.early), *cite(history, each.late))
    )
    worst = max(freezes, key=lambda each: len(each.early) - each.allowed)
    if len(worst.early) > worst.allowed:
        sentence = (
            f"{worst.told(history)}: more than the {worst.flying} in flight there and "
            f"{limits.frozen_first_losses} more"
        )
        return Finding(False, worst.allowed, len(worst.early), "requests", sentence, evidence)
    share = max(each.late_share for each in freezes)
    sentence = "; ".join(each.told(history) for each in freezes)
    return Finding(share <= promised, promised, round(share, 5), "share", sentence, evidence)


@dataclass(frozen=True, slots=True)
class _Freeze:
    """One freeze: what was lost in its first window, and after."""

    fault: FaultRecord
    flying: int
    allowed: int
    early: Table
    late: Table
    late_sent: int
    settling_s: float

    @classmethod
    def of(
        cls, fault: FaultRecord, history: History, fleet: Mapping[str, Life], limits: Limits
    ) -> "_Freeze":
        over_s = history.ended_s if fault.healed_s is None else fault.healed_s
        settled_s = fault.injected_s + limits.frozen_settling_s
        due_s, failed = history.requests["intended_s"], history.requests["status"] != 0
        first = (history.requests["done_s"] >= fault.injected_s) & (due_s < settled_s)
        rest = (due_s >= settled_s) & (due_s <= over_s)
        flying = _flying(fault, history, fleet)
        return cls(
            fault,
            flying,
            flying + limits.frozen_first_losses,
            history.requests[first & failed],
            history.requests[rest & failed],
            int(rest.sum()),
            limits.frozen_settling_s,
        )

    @property
    def late_share(self) -> float:
        """Of the requests that were due once the platform had settled, those lost."""
        return len(self.late) / max(self.late_sent, 1)

    def told(self, history: History) -> str:
        """What it cost, in words."""
        return (
            f"{self.fault.name} of {', '.join(self.fault.targets)} at "
            f"{at(history, self.fault.injected_s)}: {count(len(self.early), 'request')} lost in "
            f"the first {self.settling_s:g} s, {len(self.late)} of {self.late_sent:,} from then on"
        )


def _flying(fault: FaultRecord, history: History, fleet: Mapping[str, Life]) -> int:
    """The calls that the balancer had under way at the targets when they froze."""
    under_way = (began_s(history.access) <= fault.injected_s) & (
        history.access["done_s"] >= fault.injected_s
    )
    targets: Iterable[Life] = (fleet[name] for name in fault.targets if name in fleet)
    return sum(int(np.sum(sent_to(history.access, fleet, each, under_way))) for each in targets)


def _lacking(
    freezes: list[_Freeze], history: History, fleet: Mapping[str, Life], limits: Limits
) -> str | None:
    """Why the history shows nothing about a freeze, or None."""
    if not freezes:
        return "no replica was frozen or cut off"
    if not len(history.access):
        return "the balancer's log is missing"
    for each in freezes:
        others = [life for life in fleet.values() if _serves(life, each.fault.injected_s)]
        if {life.name for life in others} <= set(each.fault.targets):
            return f"{each.fault.name} hit every replica that was alive"
    if any(len(each.early) > each.allowed for each in freezes):
        return None
    for each in freezes:
        if each.late_sent < _NEEDED:
            return (
                f"{count(each.late_sent, 'request')} from {limits.frozen_settling_s:g} s after "
                f"{each.fault.name} on, {_NEEDED} needed"
            )
    return None


def _serves(life: Life, time_s: float) -> bool:
    began = life.ready_s is not None and life.ready_s <= time_s
    return began and (life.died_s is None or life.died_s >= time_s)
