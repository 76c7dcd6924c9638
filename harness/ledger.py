"""What a run has found so far: scenarios, verdicts, and the exit status that follows from them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import harness
from harness import clauses
from harness.contract import Limits, Outcome, Scope, Verdict, judge
from harness.errors import ExitStatus
from harness.history import History, Value, whole_run
from harness.phases import phases
from harness.run import Run, Scenario, save, save_so_far
from harness.truth import truths

_WITHOUT_PROOF = ("R1", "D3")
_INTERRUPTED = 2  # pytest's own number: what a run's status is as long as it is not over


class BrokenError(AssertionError):
    """At least one promise was broken."""


class InconclusiveError(Exception):
    """No promise was broken, but at least one could not be judged."""


@dataclass(slots=True)
class Entry:
    """One scenario, from its start to its conclusion."""

    name: str
    title: str
    node_id: str
    history: History
    verdicts: tuple[Verdict, ...] = ()
    conclusion: str = "judged"
    message: str = ""
    is_over: bool = False


@dataclass(slots=True)
class Ledger:
    """Collects a run's scenarios. ``limits`` are those of the contract that they are judged by."""

    run_id: str
    seed: int
    limits: Limits
    entries: list[Entry] = field(default_factory=list)
    conditions: dict[str, Value] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    harness_failed: bool = False
    planned: int = 0  # scenarios; 0: unknown
    options: str = ""  # of the command line, without which a scenario would not be the same
    _saved: tuple[Scenario, ...] = ()  # of the first entries, which will not change any more
    _began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _began_s: float = field(default_factory=time.monotonic)

    def judge(
        self, entry: Entry, ids: Sequence[str], history: History, scope: Scope
    ) -> tuple[Verdict, ...]:
        """Hold a history against clauses; the verdicts belong to the entry from now on."""
        verdicts = judge(clauses.named(*ids), history, self.limits, scope)
        entry.verdicts += verdicts
        return verdicts

    def judge_aborted(self, entry: Entry) -> None:
        """Judge a scenario that never came to its clauses by those that need no proven fault.

        What they cannot judge says nothing; what they find broken counts.
        """
        verdicts = judge(clauses.named(*_WITHOUT_PROOF), entry.history, self.limits)
        entry.verdicts += tuple(each for each in verdicts if each.verdict is Outcome.BROKEN)

    def whole_run(self, name: str) -> History:
        """One history of all scenarios so far, under the name of the one that asks."""
        histories = tuple(entry.history for entry in self.entries if entry.history.ended_s)
        return whole_run(histories, name)

    def exit_status(self, *, others_failed: bool = False) -> ExitStatus:
        """Broken outweighs a failed harness: no broken promise may pass for bad weather."""
        outcomes = {verdict.verdict for entry in self.entries for verdict in entry.verdicts}
        failed = others_failed or any(entry.conclusion == "failed" for entry in self.entries)
        if Outcome.BROKEN in outcomes:
            return ExitStatus.BROKEN
        if self.harness_failed:
            return ExitStatus.HARNESS_FAILED
        if failed:
            return ExitStatus.BROKEN
        unjudged = any(
            entry.conclusion in {"skipped", "inconclusive"}
            or (entry.conclusion == "judged" and not entry.verdicts)
            for entry in self.entries
        )
        if Outcome.INCONCLUSIVE in outcomes or unjudged or not outcomes:
            return ExitStatus.INCONCLUSIVE
        return ExitStatus.ALL_HELD

    def save_so_far(self, directory: Path) -> None:
        """Save a run that goes on, and whose scenarios so far are over."""
        fresh = self._unsaved()
        run = self._run((*self._saved, *fresh), _INTERRUPTED, finished=False)
        save_so_far(run, directory, len(fresh))
        self._saved = run.scenarios

    def save(self, directory: Path, status: int, *, finished: bool = True) -> Run:
        """The run as it stands, written into the directory. Not finished: it was interrupted."""
        for entry in self.entries:
            if not finished and not entry.is_over and entry.conclusion == "judged":
                entry.conclusion, entry.message = "interrupted", "the run was ended meanwhile"
        run = self._run((*self._saved, *self._unsaved()), status, finished=finished)
        save(run, directory)
        return run

    def _unsaved(self) -> tuple[Scenario, ...]:
        return tuple(self._scenario(entry) for entry in self.entries[len(self._saved) :])

    def _run(self, scenarios: tuple[Scenario, ...], status: int, *, finished: bool) -> Run:
        return Run(
            id=self.run_id,
            began_at=self._began_at.isoformat(timespec="seconds"),
            duration_s=round(time.monotonic() - self._began_s, 3),
            seed=self.seed,
            exit_status=status,
            conditions=dict(self.conditions),
            limits=self.limits,
            scenarios=scenarios,
            warnings=tuple(self.warnings),
            version=harness.__version__,
            finished=finished,
            planned=self.planned,
        )

    def _scenario(self, entry: Entry) -> Scenario:
        return Scenario(
            name=entry.name,
            title=entry.title,
            node_id=entry.node_id,
            repeat=f"pytest '{entry.node_id}' --seed {self.seed}{self.options}",
            history=entry.history,
            verdicts=entry.verdicts,
            phases=_phases(entry.history),
            readiness=truths(entry.history),
            conclusion=entry.conclusion,
            message=entry.message,
        )


def _phases(history: History) -> Mapping[str, float | None]:
    """The phase times of a scenario's first fault."""
    if not history.faults:
        return {}
    first = min(history.faults, key=lambda fault: fault.injected_s)
    return phases(history, first).as_mapping()


def demand(verdicts: Sequence[Verdict]) -> None:
    """Raise unless all were held: BrokenError first, since it is the graver one."""
    __tracebackhide__ = True
    for outcome, error in (
        (Outcome.BROKEN, BrokenError),
        (Outcome.INCONCLUSIVE, InconclusiveError),
    ):
        lines = [_line(verdict) for verdict in verdicts if verdict.verdict is outcome]
        if lines:
            raise error("\n".join(lines))


def _line(verdict: Verdict) -> str:
    evidence = "".join(f"\n    {each}" for each in verdict.evidence)
    return f"{verdict.id} {verdict.verdict}: {verdict.sentence}{evidence}"
