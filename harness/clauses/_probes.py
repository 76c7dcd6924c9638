"""The probes of a history: which ones count, and which of them were asked together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.clauses._wording import at
from harness.fleet import Life
from harness.history import Event, FaultRecord, History, Window

LIVENESS = ("ServerLive", "livez")
READINESS = ("ServerReady", "ModelReady", "health", "readyz")
FREEZING = ("pause", "freeze", "suspend", "isolate", "partition", "black hole")
"""Names of faults begin with one of these where their target hangs: it neither answers nor ends."""
SILENCING = ("kill", "disconnect", "cut", *FREEZING)
"""Names of faults begin with one of these where their target cannot answer while they last."""

_NOT_OFFERED = "UNIMPLEMENTED"
_DYING_S = 1.0  # what a replica answers in its last second says nothing


@dataclass(frozen=True, slots=True)
class Round:
    """What the surfaces of one replica said in one round of probes."""

    time_s: float
    answers: Mapping[str, bool]

    @property
    def agreed(self) -> bool:
        """Whether all surfaces said the same."""
        return len(set(self.answers.values())) <= 1


def liveness(history: History, fleet: Mapping[str, Life]) -> list[Event]:
    """The probes that a living replica ought to have answered with true."""
    first_live: dict[str, float] = {}
    judged = []
    for probe in history.of_kind("probe"):
        if probe.details["surface"] not in LIVENESS or probe.details.get("code") == _NOT_OFFERED:
            continue
        if not is_own_word(probe):
            continue
        if probe.details.get("answer") is True:
            first_live.setdefault(probe.subject, probe.time_s)
        life = fleet.get(probe.subject)
        dying_s = float("inf") if life is None or life.died_s is None else life.died_s - _DYING_S
        inside = history.began_s <= probe.time_s <= history.ended_s
        ready_s = float("inf") if life is None or life.ready_s is None else life.ready_s
        from_s = min(first_live.get(probe.subject, float("inf")), ready_s)
        if inside and from_s <= probe.time_s < dying_s:
            judged.append(probe)
    return [probe for probe in judged if not _silenced(probe, history)]


def _silenced(probe: Event, history: History) -> bool:
    """Whether no answer came because a fault kept the replica from answering at all."""
    return probe.details.get("answer") is None and any(
        fault.name.startswith(SILENCING)
        and probe.subject in fault.targets
        and fault.injected_s <= probe.time_s <= _over_s(fault, history) + _DYING_S
        for fault in history.faults
    )


def is_own_word(probe: Event) -> bool:
    """Whether the replica itself was asked, and no fault had its hand in the answer."""
    return probe.details.get("interposed") is not True


def rounds(probes: Iterable[Event]) -> dict[str, list[Round]]:
    """The rounds of each replica in order of time. No answer is as good as "not ready"."""
    sampled: dict[tuple[str, object], list[Event]] = defaultdict(list)
    for probe in probes:
        if probe.details.get("code") != _NOT_OFFERED:
            sampled[probe.subject, probe.details["round"]].append(probe)
    found: dict[str, list[Round]] = defaultdict(list)
    for (replica, _), answers in sampled.items():
        told: dict[str, bool] = {}
        for probe in answers:  # ModelReady is asked once for each model: all must be ready
            surface = str(probe.details["surface"])
            told[surface] = told.get(surface, True) and probe.details.get("answer") is True
        if len(told) > 1:
            found[replica].append(Round(min(e.time_s for e in answers), told))
    return {name: sorted(each, key=lambda r: r.time_s) for name, each in found.items()}


def seen_in_faults(history: History, probes: list[Event]) -> bool:
    """Whether each fault of the scenario has at least one of these probes inside it."""
    return all(
        any(fault.injected_s <= probe.time_s <= _over_s(fault, history) for probe in probes)
        for fault in history.faults
    )


def under_load(history: History, fleet: Mapping[str, Life], window: Window) -> list[Event]:
    """The probes within the window, in order of time, of replicas that were ready and alive."""
    found = []
    for probe in history.of_kind("probe"):
        life = fleet.get(probe.subject)
        if life is None or life.ready_s is None or probe.details.get("code") == _NOT_OFFERED:
            continue
        last_s = float("inf") if life.died_s is None else life.died_s - _DYING_S
        inside = window.covers(probe.time_s) and is_own_word(probe)
        if inside and life.ready_s <= probe.time_s < last_s:
            found.append(probe)
    return found


def _over_s(fault: FaultRecord, history: History) -> float:
    over = fault.restored_s if fault.restored_s is not None else fault.healed_s
    return history.ended_s if over is None else over


def said(probe: Event, history: History) -> str:
    """What one probe heard, as a line of evidence."""
    answer = probe.details.get("answer")
    heard = "no answer" if answer is None else str(answer).lower()
    surface, code = probe.details["surface"], probe.details.get("code")
    return f"{probe.subject} at {at(history, probe.time_s)}: {surface} {heard} ({code})"
