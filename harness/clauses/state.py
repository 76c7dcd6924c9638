"""State: what must outlive a replica, its records, and what must not, its identity."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.clauses._wording import (
    EVIDENCE_LIMIT,
    at,
    cite,
    count,
    earliest,
    few,
    missing,
)
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import History
from harness.serving import STRANGER, answered_by, began_s, sent_to
from harness.tables import Table, text


@clause("D3", "No acknowledged prediction is lost or doubled when replicas die")
def records_survive(history: History, limits: Limits) -> Finding:
    """Each request answered OK is in the record store, once."""
    acknowledged = np.flatnonzero(history.requests["status"] == 0)
    if history.records is None:
        return missing(0, "records", "the service offers no record store to look into")
    records = history.records
    stored: list[bytes] = records["id"][records["copies"] >= 1].tolist()
    known = set(stored)
    ids: list[bytes] = history.requests["id"][acknowledged].tolist()
    absent = np.fromiter((id_ not in known for id_ in ids), dtype=bool, count=len(ids))
    lost = history.requests[acknowledged[absent]]
    doubled = records[records["copies"] > 1]
    extra = len(stored) - len(known)
    wrong = len(lost) + len(doubled) + extra
    if not wrong:
        lacking = _untested(history, history.requests["done_s"][acknowledged], limits)
        if lacking:
            return missing(0, "records", lacking)
    copies = [f"record {text(r['id'])} has {r['copies']} copies" for r in np.sort(doubled)]
    sentence = (
        f"{len(lost):,} of {count(len(acknowledged), 'acknowledged prediction')} were lost, "
        f"{len(doubled) + extra:,} stored more than once"
    )
    for event in history.during("records.missing"):
        sentence += f"; the record store said: {event.details['why']}"
    evidence = few((*_cited(history, lost), *copies))
    return Finding(wrong == 0, 0, wrong, "records", sentence, evidence)


def _cited(history: History, lost: Table) -> tuple[str, ...]:
    """Each prediction that was lost; of more than can be told, first who had acknowledged them."""
    remark = ", is not in the record store"
    if len(lost) <= EVIDENCE_LIMIT:
        return cite(history, lost, remark)
    by_replica = _by_replica(history, lost)[: EVIDENCE_LIMIT // 2]
    room = EVIDENCE_LIMIT - len(by_replica) - 1
    first = cite(history, earliest(lost, limit=room), remark)
    return (*by_replica, *first, f"and {len(lost) - room:,} more")


def _by_replica(history: History, lost: Table) -> list[str]:
    """Of how many predictions that each acknowledged the record is missing, most first."""
    fleet = lives(history.events)
    acknowledged = history.requests["replica"][history.requests["status"] == 0]
    lines = []
    for who, many in zip(*np.unique(lost["replica"], return_counts=True), strict=True):
        life = fleet.get(text(who))
        died_s = None if life is None else life.died_s
        end = f"; it died at {at(history, died_s)}" if died_s is not None else ""
        among = int(np.count_nonzero(acknowledged == who))
        lines.append((-int(many), f"{text(who) or 'nobody'}: {many:,} of {among:,} lost{end}"))
    return [line for _, line in sorted(lines)]


def _untested(history: History, acknowledged_s: NDArray[np.float64], limits: Limits) -> str | None:
    """What keeps a store without a flaw from being a proof, or None."""
    if len(acknowledged_s) < limits.acknowledged_needed:
        return (
            f"{count(len(acknowledged_s), 'acknowledged prediction')}, "
            f"{limits.acknowledged_needed:,} needed"
        )
    hits = [fault.injected_s for fault in history.faults]
    if not hits:
        return "nothing was disturbed"
    if acknowledged_s.min() > max(hits):
        return "nothing had been acknowledged when the fault hit: there was nothing to lose"
    return None


@clause("D5", "A replacement is a new identity, and nothing refers to the replica that is gone")
def no_stable_identity(history: History, limits: Limits) -> Finding:
    """Answers and records never name a dead replica; its address is forgotten within the limit."""
    fleet = lives(history.events)
    promised = limits.old_name_s
    pairs = [
        (fleet[new.predecessor], new)
        for new in fleet.values()
        if new.predecessor in fleet and _died_inside(fleet[new.predecessor], history)
    ]
    ghosts = _ghosts(history, fleet)
    if ghosts:
        sentence = f"{count(len(ghosts), 'answer or record')} in the name of a replica not alive"
        return Finding(False, 0, len(ghosts), "answers", sentence, few(ghosts))
    kept = [line for old, new in pairs for line in _kept(old, new)]
    if kept:
        return Finding(False, 0, len(kept), "identities", kept[0], few(kept))
    started = [(old, new) for old, new in pairs if new.started_s is not None]
    if not started:
        return missing(promised, "s", "no replica was replaced by one that started")
    if not len(history.access):
        return missing(
            promised, "s", "the balancer's log is empty, so addresses cannot be followed"
        )
    return _references(history, fleet, started, promised)


def _references(
    history: History,
    fleet: Mapping[str, Life],
    pairs: list[tuple[Life, Life]],
    promised: float,
) -> Finding:
    """How long the balancer went on using the addresses of the dead."""
    began = began_s(history.access)
    observed_s = float(began.max())
    lines, longest_s, unseen = [], 0.0, []
    for old, new in pairs:
        assert old.died_s is not None
        used = began[sent_to(history.access, fleet, old, began > old.died_s)]
        last_s = float(used.max()) if len(used) else old.died_s
        longest_s = max(longest_s, last_s - old.died_s)
        if observed_s <= last_s:
            unseen.append(old.name)
        lines.append(
            f"{old.name} ({old.address}) died at {at(history, old.died_s)}: "
            f"{count(len(used), 'call')} sent to its address afterwards, "
            f"the last {last_s - old.died_s:.3f} s later; {new.name} has {new.address}"
        )
    if longest_s <= promised and unseen:
        reason = f"no traffic was seen after the last use of the address of {', '.join(unseen)}"
        return missing(promised, "s", reason, lines)
    sentence = (
        f"{count(len(pairs), 'replaced replica')}: the last call to an old address came "
        f"{longest_s:.2f} s after its replica died, and no answer named it again"
    )
    return Finding(longest_s <= promised, promised, round(longest_s, 3), "s", sentence, few(lines))


def _died_inside(life: Life, history: History) -> bool:
    return life.died_s is not None and history.began_s <= life.died_s <= history.ended_s


def _kept(old: Life, new: Life) -> list[str]:
    """Whatever the replacement has in common with the replica that it replaces."""
    parts = {
        "name": (old.name, new.name),
        "address": (old.address, new.address),
        "hostname": (old.hostname, new.hostname),
        "container": (old.container, new.container),
    }
    return [
        f"{new.name} has the {part} of {old.name}, which it replaces: {before}"
        for part, (before, after) in parts.items()
        if before is not None and before == after
    ]


def _ghosts(history: History, fleet: Mapping[str, Life]) -> list[str]:
    """Answers and records in the name of a replica that was not alive when the request was sent."""
    requests = history.requests
    who = answered_by(requests["replica"], fleet)
    known = who >= 0
    if not np.any(known):  # the service has names of its own, which nobody here can know
        return []
    ordered_s = np.array([life.ordered_s for life in fleet.values()])
    died_s = np.array([np.inf if life.died_s is None else life.died_s for life in fleet.values()])
    # An index below 0 picks some replica's times, which ``known`` then leaves out.
    dead = (requests["sent_s"] > died_s[who]) | (requests["done_s"] < ordered_s[who])
    wrong = (known & dead) | (who == STRANGER)
    return [*cite(history, requests[wrong], ", was not alive then"), *_late_records(history, fleet)]


def _late_records(history: History, fleet: Mapping[str, Life]) -> list[str]:
    """Records in the name of a replica that had died before the request was sent."""
    dead = [life for life in fleet.values() if life.died_s is not None]
    if history.records is None or not dead or not len(history.requests):
        return []
    records, requests = history.records, history.requests
    who = answered_by(records["replica"], fleet)
    places = {name: place for place, name in enumerate(fleet)}
    lines = []
    for life in dead:
        theirs = records["id"][who == places[life.name]]
        late: list[bytes] = requests["id"][requests["sent_s"] > life.died_s].tolist()
        if len(theirs) and late:
            both = sorted(set(theirs.tolist()).intersection(late))
            lines += [f"record {text(id_)} names {life.name}, which was dead" for id_ in both]
    return lines
