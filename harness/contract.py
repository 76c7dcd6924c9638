"""Clauses and verdicts: what is promised, and whether a history keeps it.

A clause is a pure function of a history. It answers with a Finding; ``judge`` turns that into a
Verdict, and makes it inconclusive where the evidence cannot carry it: no finding, a fault without
proof, a load generator that fell behind.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from harness.history import History

Number: TypeAlias = float | int
Scope: TypeAlias = Literal["scenario", "run"]
"""What a verdict was judged on: one scenario, or the run up to the end of that scenario."""


class Outcome(StrEnum):
    """The three things that can be said of a promise."""

    HELD = "held"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the clauses: the contract's defaults, unless a platform asks for others.

    Sources: Kubernetes' defaults (startup probe 10 s x 3, so 30 s), the contract's own choices
    where no primary source gives a number (spread of starts, probe cycle, balance of load).
    """

    start_budget_s: float = 30.0
    start_budget_share: float = 0.8  # p95 of cold starts within this share of the budget
    start_spread: float = 2.0  # p95 over p50 of cold starts
    starts_needed: int = 10
    golden_tolerance: float = 1e-5
    golden_starts_needed: int = 5
    probes_needed: int = 10
    disagreement_s: float = 1.0  # how long health surfaces may differ
    false_ready_s: float = 2.0  # our choice: two periods of the harness's own probe
    watched_starts_needed: int = 5
    start_samples_needed: int = 100  # of each of these starts: 5 s at 20 Hz
    health_within_s: float = 1.0  # a Watch's first message, and the news of a change
    frozen_settling_s: float = 10.0  # nginx's fail_timeout, by default
    frozen_loss_share: float = 0.01  # our choice, of the requests from then on
    frozen_first_losses: int = 1  # beyond those in flight: nginx's max_fails, by default
    lost_after_retry: int = 0
    stop_within_s: float = 8.0  # Cloud Run's grace of 10 s, the shortest, less 2 s for bad days
    stop_calls_needed: int = 20  # our choice: calls at a replica from when it is told to stop
    acknowledged_needed: int = 1000
    balance_p_value: float = 0.001
    balance_calls_needed: int = 300
    new_replica_share: float = 0.5  # of a fair share, within new_replica_window_s of being ready
    new_replica_window_s: float = 10.0
    old_name_s: float = 30.0
    answers_needed: int = 100  # a 99th percentile of fewer is but the slowest of them
    latency_p99_ms: float = 250.0  # the service's own promise: no platform fixes one
    answered_share: float = 0.99  # our choice, of the requests of each window below capacity
    cache_added_p99_ms: float = 50.0  # our choice: one bounded attempt at the cache, and on
    recovery_s: float = 10.0  # our choice: as long as a balancer's or a client's memory of failures
    sustained_share: float = 0.95  # of the first attempts: as in harness/demand.py
    recovered_share: float = 0.999  # of the calls from then on
    store_heal_s: float = 30.0  # three of Kubernetes' readiness periods of 10 s
    expired_needed: int = 5  # calls whose deadline passed before the fresh one
    fresh_service_times: float = 2.0  # our choice: behind at most one call that had begun
    retry_ratio: float = 1.2  # Finagle's RetryBudget: 20 % on top
    retry_settling_s: float = 1.0  # until a budget's reserve is used up
    call_deadline_s: float = 2.0  # an answer later than this is no goodput: as [load] deadline_s
    goodput_share: float = 0.9  # our choice; that goodput levels off: Google's SRE book, ch. 22
    overload_s: float = 10.0  # our choice: at twice the capacity an unbounded queue is late after 2
    overload_share: float = 0.05  # our choice: with fewer unserved, load was not above capacity
    capacity_agreement: float = 0.75  # our choice: goodput at 1x over the capacity measured before
    admitted_p99_ratio: float = 3.0  # our choice; CoDel sloughs at twice its target delay
    refusal_p99_ms: float = 50.0  # our choice: a refusal is worth having while time is left
    burst_factor: float = 3.0  # our choice: the step that a scaler has to follow
    burst_within_s: float = 1.0
    burst_loss_share: float = 0.01
    newcomer_calls: int = 100
    newcomer_watched_s: float = 3.0  # our choice: ready for so long in a burst, it is to be judged
    newcomer_p99_ratio: float = 2.0  # our choice: first calls of a new replica over warm ones
    probe_p99_s: float = 1.0  # Kubernetes' and Cloud Run's timeoutSeconds
    probe_misses: int = 3  # in a row: their failureThreshold
    stays_s: float = 5.0  # our choice: how long goodput is watched once it is back
    lag_p99_ms: float = 2.0  # the load generator's own lag, above which nothing is judged
    unsent_share: float = 0.01
    others_share: float = 0.1  # our choice, of the processors: what others may use, or be given
    others_burst_share: float = 0.3  # the same in any one second, for what is to be broken


@dataclass(frozen=True, slots=True)
class Finding:
    """What a clause measured. ``held`` is None where the history has no evidence either way."""

    held: bool | None
    promised: Number | str
    measured: Number | str | None
    unit: str
    sentence: str
    evidence: tuple[str, ...] = ()
    comparison: str = "<="  # how measured must stand to promised: <=, >= or ==


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise: an id such as T5, the promise in words, and how a history is held against it."""

    id: str
    statement: str
    check: Callable[[History, Limits], Finding]
    needs_load: bool = False
    needs_quiet: bool = False

    def __call__(self, history: History, limits: Limits | None = None) -> Finding:
        """The finding for one history, by the contract's own limits unless others are given."""
        return self.check(history, limits or Limits())


def clause(
    id_: str, statement: str, *, needs_load: bool = False, needs_quiet: bool = False
) -> Callable[[Callable[[History, Limits], Finding]], Clause]:
    """Make a clause of a function.

    ``needs_load``: only where the load kept to its schedule. ``needs_quiet``: only where the run
    had the machine's processors for itself; what needs load needs that as well.
    """

    def decorate(check: Callable[[History, Limits], Finding]) -> Clause:
        return Clause(id_, statement, check, needs_load, needs_quiet or needs_load)

    return decorate


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one clause held in one scenario, with what was promised, measured, and seen."""

    id: str
    statement: str
    scenario: str
    verdict: Outcome
    promised: Number | str
    measured: Number | str | None
    unit: str
    comparison: str
    sentence: str
    evidence: tuple[str, ...] = ()
    scope: Scope = "scenario"


def judge(
    clauses: Iterable[Clause], history: History, limits: Limits, scope: Scope = "scenario"
) -> tuple[Verdict, ...]:
    """One verdict for each clause. A clause that raises is inconclusive; the others still count."""
    return tuple(_judge_one(each, history, limits, scope) for each in clauses)


def _judge_one(subject: Clause, history: History, limits: Limits, scope: Scope) -> Verdict:
    try:
        finding = subject(history, limits)
    except Exception as error:  # noqa: BLE001  # its defect must not cost the others
        finding = Finding(
            None, "", None, "", f"the clause itself failed: {type(error).__name__}: {error}"
        )
    outcome = _outcome(finding)
    sentence = finding.sentence
    doubt = _lagged(subject, history, limits) or _crowded(subject, history, limits, outcome)
    if outcome is Outcome.HELD:  # a fault without proof excuses no promise that was broken
        doubt = doubt or _unproven(history)
    if doubt and outcome is not Outcome.INCONCLUSIVE:
        outcome, sentence = Outcome.INCONCLUSIVE, f"{doubt}; otherwise: {sentence}"
    return Verdict(
        subject.id,
        subject.statement,
        history.scenario,
        outcome,
        finding.promised,
        finding.measured,
        finding.unit,
        finding.comparison,
        sentence,
        finding.evidence,
        scope,
    )


def _outcome(finding: Finding) -> Outcome:
    if finding.held is None:
        return Outcome.INCONCLUSIVE
    return Outcome.HELD if finding.held else Outcome.BROKEN


def _unproven(history: History) -> str | None:
    """Which fault was not shown to take effect, spare bystanders and heal, or None."""
    for fault in history.faults:
        if not fault.proof.complete:
            return f"the fault {fault.name} is not proven"
    return None


def _crowded(subject: Clause, history: History, limits: Limits, outcome: Outcome) -> str | None:
    """Why the processors cannot carry a verdict on the clause, or None.

    All the while they were not there for the run, so that any figure is off; or in some second,
    which may be what broke the promise.
    """
    taken = [
        float(event.details["others"] or 0.0) + float(event.details["stolen"] or 0.0)
        for event in history.during("machine.used")
    ]
    if not subject.needs_quiet or not taken:
        return None
    mean, most = sum(taken) / len(taken), max(taken)
    if mean > limits.others_share:
        return (
            f"others took {mean:.0%} of the machine's processors, more than "
            f"{limits.others_share:.0%}"
        )
    if outcome is Outcome.BROKEN and most > limits.others_burst_share:
        return (
            f"in some second others took {most:.0%} of the machine's processors, more than "
            f"{limits.others_burst_share:.0%}"
        )
    return None


def _lagged(subject: Clause, history: History, limits: Limits) -> str | None:
    """Why the load cannot carry a verdict on the clause, or None."""
    if not subject.needs_load:
        return None
    for generator in history.generators:
        if generator.lag_p99_ms > limits.lag_p99_ms:
            return (
                f"the load generator lagged {generator.lag_p99_ms:.2f} ms behind its schedule at "
                f"p99, more than {limits.lag_p99_ms:g} ms"
            )
        if generator.unsent_share > limits.unsent_share:
            return (
                f"the load generator did not send {generator.unsent_share:.2%} of the planned "
                f"requests, more than {limits.unsent_share:.0%}"
            )
    return None
