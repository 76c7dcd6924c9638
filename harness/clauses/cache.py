"""The cache: that a service without it is a little slower, and no more than that."""

from dataclasses import dataclass

from harness.clauses._faults import CACHE, aimed_at, beside, healing_s, next_s, over_s, told
from harness.clauses._load import answered, p99_ms, steady_before
from harness.clauses._recovery import back_after_s
from harness.clauses._wording import cite, count, gravest, missing
from harness.contract import Finding, Limits, clause
from harness.history import FaultRecord, History, latency_s
from harness.tables import WRONG, Table

_BELOW_P99 = 0.99


@clause("D4", "A cache that is lost costs some latency, and no request", needs_load=True)
def cache_may_vanish(history: History, limits: Limits) -> Finding:
    """No request fails from the loss on; the p99 rises little, and falls back soon after."""
    faults = aimed_at(history, CACHE)
    if not faults:
        return missing(0, "requests", "no fault was aimed at the cache")
    before = steady_before(history, min(fault.injected_s for fault in history.faults))
    if len(before) < limits.answers_needed:
        answers = count(len(before), "OK answer")
        return missing(0, "requests", f"{answers} before the fault, {limits.answers_needed} needed")
    losses = [_Loss.of(history, fault, p99_ms(before), limits) for fault in faults]
    return gravest([loss.finding() for loss in losses])


@dataclass(frozen=True, slots=True)
class _Loss:
    """One fault of the cache, and the requests that could feel it."""

    history: History
    fault: FaultRecord
    limits: Limits
    usual_ms: float  # the p99 before any fault
    until_s: float  # when the next fault began, if any did
    since: Table  # requests done after the injection
    under: Table  # OK answers to requests that were due while it was in force

    @classmethod
    def of(cls, history: History, fault: FaultRecord, usual_ms: float, limits: Limits) -> "_Loss":
        requests = history.requests
        due_s, done_s = requests["intended_s"], requests["done_s"]
        until_s = next_s(history, fault)
        since = requests[(done_s >= fault.injected_s) & (done_s < until_s)]
        under = requests[(due_s >= fault.injected_s) & (due_s <= healing_s(fault))]
        return cls(history, fault, limits, usual_ms, until_s, since, answered(under))

    def finding(self) -> Finding:
        """What was broken first: a request lost, too much latency, no recovery."""
        for judge in (self._costs_no_request, self._costs_little_latency):
            finding = judge()
            if finding is not None:
                return finding
        return self._passes()

    def _costs_no_request(self) -> Finding | None:
        lost = self.since[(self.since["status"] != 0) | (self.since["correct"] == WRONG)]
        if not len(lost):
            return None
        sentence = (
            f"{len(lost):,} of {count(len(self.since), 'request')} failed, or were answered "
            f"wrongly, from {told(self.history, self.fault)} on"
        )
        return self._broken(0, len(lost), "requests", sentence, cite(self.history, lost))

    def _costs_little_latency(self) -> Finding | None:
        promised, unit = self.limits.cache_added_p99_ms, "ms added"
        if len(self.under) < self.limits.answers_needed:
            answers = count(len(self.under), "OK answer")
            needed = f"{answers} while it was in force, {self.limits.answers_needed} needed"
            return missing(promised, unit, needed)
        if self._added_ms() <= promised:
            return None
        bound_ms = self.usual_ms + promised
        slow = self.under[latency_s(self.under) * 1000 > bound_ms]
        cited = cite(self.history, slow, f", took over {bound_ms:.0f} ms")
        return self._broken(promised, round(self._added_ms(), 3), unit, self._told(), cited)

    def _passes(self) -> Finding:
        due_s = self.since["intended_s"]
        after = self.since[due_s >= over_s(self.fault)]
        bound_ms = self.usual_ms + self.limits.cache_added_p99_ms
        prompt = latency_s(after) * 1000 <= bound_ms
        watched = over_s(self.fault), min(self.until_s, self.history.ended_s)
        back = back_after_s(after["intended_s"], prompt, watched, _BELOW_P99, self.limits)
        promised = self.limits.recovery_s
        if back is None:
            reason = f"{self._told()}; but after it too little was seen to say that it recovered"
            return missing(promised, "s", reason)
        sentence = f"{self._told()}, and was back {back:.2f} s after it"
        if back > promised:
            late = after[~prompt & (after["intended_s"] > over_s(self.fault) + promised)]
            cited = cite(self.history, late, f", took over {bound_ms:.0f} ms")
            return self._broken(promised, round(back, 3), "s", sentence, cited)
        allowed, added = self.limits.cache_added_p99_ms, round(self._added_ms(), 3)
        return Finding(True, allowed, added, "ms added", sentence)

    def _added_ms(self) -> float:
        return p99_ms(self.under) - self.usual_ms

    def _told(self) -> str:
        return (
            f"no request of {len(self.since):,} failed from {told(self.history, self.fault)} on; "
            f"it took the p99 from {self.usual_ms:.1f} ms to {p99_ms(self.under):.1f} ms"
        )

    def _broken(
        self, promised: float, measured: float, unit: str, sentence: str, cited: tuple[str, ...]
    ) -> Finding:
        """Broken, unless another fault was in force beside this one and may be to blame."""
        until_s = min(over_s(self.fault) + self.limits.recovery_s, self.until_s)
        other = beside(self.history, self.fault, until_s)
        if other:
            reason = f"{sentence}; but {other} was in force beside it, and may be the cause"
            return missing(promised, unit, reason, cited)
        return Finding(False, promised, measured, unit, sentence, cited)
