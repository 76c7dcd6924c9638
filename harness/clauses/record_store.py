"""The record store: what an acknowledged prediction means while it is away."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.clauses._faults import DATABASE, aimed_at, healing_s, is_away, next_s, over_s, told
from harness.clauses._load import answered
from harness.clauses._recovery import back_after_s
from harness.clauses._wording import cite, cite_attempts, count, gravest, missing, status_name
from harness.contract import Finding, Limits, clause
from harness.history import FaultRecord, History, latency_s
from harness.phases import promised_latency_s
from harness.tables import Table

_TYPED = (4, 8, 14)  # DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE


@clause(
    "D6",
    "While the record store is away, nothing is acknowledged that is not durable",
    needs_load=True,
)
def records_may_be_away(history: History, limits: Limits) -> Finding:
    """Acknowledged is recorded, refused is typed, and acknowledgements resume once it is back."""
    faults = [fault for fault in aimed_at(history, DATABASE) if is_away(fault)]
    if not faults:
        return missing(0, "records", "the record store was never away")
    if history.records is None:
        return missing(0, "records", "the service offers no record store to look into")
    return gravest([_without_records(history, fault, limits) for fault in faults])


def _without_records(history: History, fault: FaultRecord, limits: Limits) -> Finding:
    name, requests = told(history, fault), history.requests
    since: Table = requests[requests["done_s"] >= fault.injected_s]
    acknowledged = answered(since)
    absent = acknowledged[~_recorded(history, acknowledged)]
    if len(absent):
        sentence = (
            f"{len(absent):,} of {count(len(acknowledged), 'prediction')} acknowledged from "
            f"{name} on are not in the record store"
        )
        cited = cite(history, absent, ", is not in the record store")
        return Finding(False, 0, len(absent), "records", sentence, cited)
    refusals = _Refusals.of(history, fault, limits)
    if len(refusals.untyped) or len(refusals.odd):
        return refusals.untold(history, name)
    if not refusals.felt:
        return missing(0, "records", f"no call was refused, failed or late during {name}")
    due_s = since["intended_s"]
    until_s = next_s(history, fault)
    watched = over_s(fault), min(until_s, history.ended_s)
    later = (due_s >= over_s(fault)) & (since["done_s"] < until_s)
    well = since["status"][later] == 0
    back = back_after_s(due_s[later], well, watched, limits.recovered_share, limits)
    sentence = (
        f"each of {count(len(acknowledged), 'prediction')} acknowledged from {name} on is in the "
        f"record store; {count(refusals.refused, 'request')} failed, all with a code that says why"
    )
    if back is None:
        reason = f"{sentence}; but after it too little was seen to say that it recovered"
        return missing(limits.recovery_s, "s", reason)
    sentence += f"; acknowledgements resumed {back:.2f} s after it"
    late = since[later][~well & (due_s[later] > over_s(fault) + limits.recovery_s)]
    held = back <= limits.recovery_s
    cited = cite(history, late)
    return Finding(held, limits.recovery_s, round(back, 3), "s", sentence, cited)


def _recorded(history: History, acknowledged: Table) -> NDArray[np.bool_]:
    """Which of the acknowledged requests are in the record store."""
    assert history.records is not None
    stored: set[bytes] = set(history.records["id"][history.records["copies"] >= 1].tolist())
    ids: list[bytes] = acknowledged["id"].tolist()
    return np.fromiter((id_ in stored for id_ in ids), dtype=bool, count=len(ids))


@dataclass(frozen=True, slots=True)
class _Refusals:
    """What failed while the record store was away, and until it had to be used again."""

    refused: int
    untyped: Table  # requests that failed with a code that does not say why
    odd: Table  # and attempts
    felt: bool  # whether any call shows that the store was missed

    @classmethod
    def of(cls, history: History, fault: FaultRecord, limits: Limits) -> "_Refusals":
        requests, attempts = (
            rows[
                (rows["done_s"] >= fault.injected_s)
                & (rows["sent_s"] <= over_s(fault) + limits.recovery_s)
                & (rows["done_s"] < next_s(history, fault))
            ]
            for rows in (history.requests, history.attempts)
        )
        failed, tries = requests[requests["status"] != 0], attempts[attempts["status"] != 0]
        untyped = failed[~np.isin(failed["status"], _TYPED)]
        odd = tries[~np.isin(tries["status"], _TYPED)]
        late = latency_s(requests) > promised_latency_s(history, fault)
        under_way = requests["sent_s"] <= healing_s(fault)
        felt = bool(len(failed) or len(tries) or np.any(late & under_way))
        return cls(len(failed), untyped, odd, felt)

    def untold(self, history: History, name: str) -> Finding:
        """The finding where a code does not say why."""
        seen = {*self.untyped["status"].tolist(), *self.odd["status"].tolist()}
        codes = ", ".join(sorted(status_name(code) for code in seen))
        wanted = " or ".join(status_name(code) for code in _TYPED)
        sentence = (
            f"{count(len(self.untyped), 'request')} and {count(len(self.odd), 'attempt')} from "
            f"{name} on ended {codes}"
        )
        cited = cite(history, self.untyped) or cite_attempts(history, self.odd)
        return Finding(False, wanted, codes, "status", sentence, cited, "==")
