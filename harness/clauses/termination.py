"""Termination: what it costs when a replica is gone from one moment to the next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.clauses._wording import at, cite, count, earliest, few, missing, status_name
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import FaultRecord, History
from harness.serving import began_s, holder, sent_to, upstreams
from harness.tables import Table, text

UNAVAILABLE, DEADLINE_EXCEEDED = 14, 4
_TYPED = (UNAVAILABLE, DEADLINE_EXCEEDED)


@clause(
    "T5", "A killed replica costs no request: what it had in flight is retried", needs_load=True
)
def kill_costs_nothing(history: History, limits: Limits) -> Finding:
    """From the first kill to the end: what failed, with which status, and on which replica."""
    fleet = lives(history.events)
    kills = [f for f in history.faults if f.name.startswith("kill") and set(f.targets) & set(fleet)]
    lacking = _lacking(history, kills, fleet)
    if lacking:
        return missing(limits.lost_after_retry, "requests", lacking)
    since_s = min(fault.injected_s for fault in kills)
    since = history.requests["done_s"] >= since_s
    failed = history.requests[since & (history.requests["status"] != 0)]
    attempts = _failed_attempts(history, since_s)
    lost = _lost(history, attempts, fleet)
    bystanders = [each for each in lost if each.replica and not _targeted(each.replica, history)]
    sentence = (
        f"{len(failed):,} of {count(int(since.sum()), 'request')} failed; {_retried(history, lost)}"
    )
    evidence = few((*cite(history, failed), *_flights(history, kills, fleet), *map(str, lost)))
    if len(failed) > limits.lost_after_retry:
        return Finding(False, limits.lost_after_retry, len(failed), "requests", sentence, evidence)
    strange = sorted({int(s) for s in attempts["status"]} - set(_TYPED))
    if strange:
        codes = ", ".join(status_name(code) for code in strange)
        promised = " or ".join(status_name(code) for code in _TYPED)
        sentence += f"; but attempts failed with {codes}, which a client may not retry"
        return Finding(False, promised, codes, "status", sentence, evidence, "==")
    if bystanders:
        names = ", ".join(sorted({each.replica for each in bystanders}))
        sentence += f"; but {len(bystanders)} failed on {names}, which no fault was aimed at"
        cited = few((*map(str, bystanders), *_flights(history, kills, fleet)))
        return Finding(False, 0, len(bystanders), "attempts", sentence, cited)
    return Finding(True, limits.lost_after_retry, len(failed), "requests", sentence, evidence)


@dataclass(frozen=True, slots=True)
class _Lost:
    """A failed attempt, and the replica that the balancer blames for it, where it blames one."""

    id: str
    number: int
    replica: str
    said: str

    def __str__(self) -> str:
        where = f" on {self.replica}" if self.replica else ", on no replica that the balancer names"
        return f"request {self.id}: attempt {self.number} ended {self.said}{where}"


def _lacking(history: History, kills: list[FaultRecord], fleet: Mapping[str, Life]) -> str | None:
    """Why the history shows nothing about a kill, or None."""
    if not kills:
        return "no replica was killed"
    if not len(history.access) or not len(history.attempts):
        return "the balancer's log or the attempts are missing"
    sent = history.requests["sent_s"]
    for fault in kills:
        alive = [life.name for life in fleet.values() if _serving(life, fault.injected_s)]
        if not set(alive) - set(fault.targets):
            return f"{fault.name} hit every replica that was alive: none was left to retry on"
        until_s = history.ended_s if fault.restored_s is None else fault.restored_s
        if not np.any((sent >= fault.injected_s) & (sent <= until_s)):
            return f"no request was sent while {fault.name} was in force"
        since = history.access["done_s"] >= fault.injected_s
        victims = [fleet[name] for name in fault.targets if name in fleet]
        if not any(sent_to(history.access, fleet, each, since).any() for each in victims):
            return f"no call was at the target of {fault.name}, or sent to it: nothing was at stake"
    return None


def _serving(life: Life, time_s: float) -> bool:
    began = life.ready_s is not None and life.ready_s <= time_s
    return began and (life.died_s is None or life.died_s >= time_s)


def _targeted(replica: str, history: History) -> bool:
    return any(replica in fault.targets for fault in history.faults)


def _failed_attempts(history: History, since_s: float) -> Table:
    attempts = history.attempts
    failed: Table = attempts[(attempts["done_s"] >= since_s) & (attempts["status"] != 0)]
    return failed


def _lost(history: History, failed: Table, fleet: Mapping[str, Life]) -> list[_Lost]:
    """Each failed attempt beside the replica on which the balancer saw it fail."""
    if not len(failed):
        return []
    blamed = _blamed(history.access, fleet, float(failed["sent_s"].min()))
    result = []
    for row in earliest(failed, limit=len(failed)):
        id_, number = text(row["id"]), int(row["number"])
        replica = blamed.get((id_, number)) or blamed.get((id_, 0)) or ""
        said = f"{status_name(row['status'])} at {at(history, row['done_s'])}"
        result.append(_Lost(id_, number, replica, said))
    return result


def _blamed(access: Table, fleet: Mapping[str, Life], since_s: float) -> dict[tuple[str, int], str]:
    """For each call whose last upstream failed: the replica that served at that address."""
    began = began_s(access)
    suspect = (access["upstream_status"] != b"200") & (access["done_s"] >= since_s)
    blamed: dict[tuple[str, int], str] = {}
    for row, taken_up_s in zip(access[suspect], began[suspect], strict=True):
        statuses = upstreams(text(row["upstream_status"]))
        addresses = upstreams(text(row["upstream"]))
        if not statuses or not addresses or not statuses[-1].startswith("5"):
            continue
        life = holder(fleet, addresses[-1], float(taken_up_s))
        # A starting replica may have taken over the address of the killed one.
        if life is not None and life.ready_s is not None and life.ready_s <= taken_up_s:
            blamed[text(row["id"]), int(row["attempt"])] = life.name
    return blamed


def _retried(history: History, lost: list[_Lost]) -> str:
    """What became of the failed attempts, in words."""
    first = [each for each in lost if each.number == 1]
    if not first:
        return "no first attempt failed" if len(history.attempts) else "attempts were not recorded"
    victims = sorted({each.replica for each in first if _targeted(each.replica, history)})
    where = f" on {' and '.join(victims)}" if victims else ""
    return f"{count(len(first), 'first attempt')} failed{where} and had to be retried"


def _flights(
    history: History, kills: list[FaultRecord], fleet: Mapping[str, Life]
) -> Iterable[str]:
    """What the balancer had under way at each victim when it was killed, and sent there later."""
    for fault in kills:
        began = began_s(history.access)
        unfinished = history.access["done_s"] >= fault.injected_s
        for name in (target for target in fault.targets if target in fleet):
            sent = sent_to(history.access, fleet, fleet[name], unfinished)
            flying = int(np.sum(sent & (began <= fault.injected_s)))
            later = int(np.sum(sent & (began > fault.injected_s)))
            yield (
                f"{name} was killed at {at(history, fault.injected_s)} with "
                f"{count(flying, 'request')} in flight; {later} more were "
                "sent to it before the balancer left it out"
            )
