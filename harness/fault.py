"""The life of a fault: measure, inject, prove the effect, hold, heal, prove the restoration.

    baseline ── inject ── effect proven ══ window ══ heal ── restoration proven
                                  └ bystanders proven unharmed

A fault is a generator function under ``@fault``. It yields twice: what shows that it took effect,
and what shows that it is undone. What it does before the first of these yields injects, what it
does between the two heals. Where the effect is a number, it yields a baseline before it injects::

    @fault
    def slow(path: StoragePath, latency_ms: float) -> Stages:
        before_ms = yield measured(f"round trip of {path.name}", path.round_trip_ms, "ms")
        path.add("latency", latency=latency_ms)
        yield between("…", path.round_trip_ms, before_ms + 0.9 * latency_ms, …, "ms")
        path.clear()
        yield between("…", path.round_trip_ms, 0.0, before_ms + 20.0, "ms")

Before a fault injects, how to reset its targets stands in the undo journal: see journal.py.
"""

import functools
import inspect
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeAlias

from harness.errors import FaultError, UnprovenError
from harness.history import FaultRecord, Proof
from harness.journal import Journal
from harness.platform import Reset, Resettable, Target
from harness.proof import Check, Measure, await_proof, between, measured, shown, take_baseline
from harness.recorder import Recorder

__all__ = ["Check", "Injection", "Planned", "Stages", "between", "fault", "measured", "shown"]

Parameters = ParamSpec("Parameters")

_AT_ONCE = 2  # bystanders looked at: knocking at all at once would disturb what is measured

Stages: TypeAlias = Generator[Measure | Sequence[Check] | Check, float, None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault with its targets, not yet injected."""

    name: str
    targets: tuple[Target, ...]
    stages: Callable[[], Stages]
    also_hit: Callable[[], Sequence[str]] = tuple
    """Names of what it hit besides its targets, known when it is over: their successors, say."""

    def resets(self) -> tuple[Reset, ...]:
        """What brings its targets back to their undisturbed state."""
        resettable = (target for target in self.targets if isinstance(target, Resettable))
        return tuple(reset for target in resettable for reset in target.resets())


def fault(
    disturb: Callable[Parameters, Stages],
) -> Callable[Parameters, Planned]:
    """Make a fault of a generator function. Its targets are the arguments that are targets.

    Calling the result plans the fault and disturbs nothing; ``experiment.inject`` carries it out.
    """

    @functools.wraps(disturb)
    def plan(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Planned:
        name = disturb.__name__.replace("_", " ")
        given = (*args, *kwargs.values())
        targets = tuple(each for each in given if isinstance(each, Target))
        if not targets:
            raise FaultError(
                f"the fault {name!r} found no target; expected at least one thing to disturb, "
                "such as experiment.any_replica()"
            )
        return Planned(name, targets, lambda: disturb(*args, **kwargs))

    return plan


@dataclass(slots=True)
class Injection:
    """A fault under way, and what is known of it. Proofs are made here, not by the fault."""

    planned: Planned
    scenario: str
    bystanders: Sequence[Target]
    recorder: Recorder
    record: FaultRecord
    watch: Callable[[], None]
    """Called while a proof is awaited; raises what makes waiting pointless: a lost engine."""
    journal: Journal | None
    reset: Callable[[Sequence[Reset]], None]
    """Brings targets back to their undisturbed state where the fault itself cannot any more."""
    patience_s: float | None = None
    """The longest that any proof is awaited, where a fault's own bounds are too generous."""
    _spared: bool = False

    @classmethod
    def of(
        cls,
        planned: Planned,
        scenario: str,
        bystanders: Sequence[Target],
        recorder: Recorder,
        watch: Callable[[], None] = lambda: None,
        journal: Journal | None = None,
        reset: Callable[[Sequence[Reset]], None] = lambda _: None,
    ) -> "Injection":
        """One that has not begun."""
        names = tuple(target.name for target in planned.targets)
        record = FaultRecord(scenario, planned.name, names, injected_s=time.monotonic())
        return cls(planned, scenario, bystanders, recorder, record, watch, journal, reset)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Disturb on entry, heal on exit. Raises UnprovenError where either cannot be shown.

        Healing is attempted whatever happens inside; its error does not hide the first one.
        """
        identities = self._identities()
        entry = None if self.journal is None else self.journal.begin(self.planned)
        stages = self.planned.stages()
        errors: list[Exception] = []
        interrupted: BaseException | None = None
        try:
            self._prove_effect(self._inject(stages))
            self._prove_bystanders(identities)
            yield
        except Exception as error:  # noqa: BLE001  # raised again when all is healed
            errors.append(error)
        except BaseException as error:
            interrupted = error
            raise
        finally:
            self._heal(stages, errors, wait=interrupted is None)
            if interrupted is not None:
                for each in errors:
                    interrupted.add_note(f"and while healing {self.planned.name}: {each}")
            if entry is not None and (self._spared or self.record.restored_s is not None):
                entry.close()
        if errors:
            raise (
                errors[0] if len(errors) == 1 else ExceptionGroup("disturbing and healing", errors)
            )

    def _inject(self, stages: Stages) -> Sequence[Check] | Check:
        """Let it measure what it wants to compare with, then disturb."""
        try:
            self._begin()
            stage = next(stages)
            while isinstance(stage, Measure):
                baseline = take_baseline(stage)
                self._note_proofs(baseline=(*self.record.proof.baseline, baseline))
                if baseline.measured is None:
                    stages.close()  # nothing was disturbed, so there is nothing to heal
                    self._spared = True
                    raise UnprovenError(
                        f"the fault {self.planned.name!r} was not injected, because there is no "
                        f"baseline: {baseline.statement} {baseline.seen}"
                    )
                self._begin()
                stage = stages.send(baseline.measured)
            return stage
        finally:
            self._note("fault.injecting", self.record.injected_s)

    def _begin(self) -> None:
        self.record = replace(self.record, injected_s=time.monotonic())

    def _prove_effect(self, checks: Sequence[Check] | Check) -> None:
        effect = self._prove(checks)
        self._note_proofs(effect=effect)
        _demand(effect, self.planned, "take effect")
        self.record = replace(self.record, effect_s=max(proof.time_s for proof in effect))
        self._note("fault.proven")

    def _heal(self, stages: Stages, errors: list[Exception], *, wait: bool) -> None:
        """Undo it. Where the run was told to end, there is one look at what came of it, no wait."""
        targets = dict.fromkeys((*self.record.targets, *self.planned.also_hit()))
        self.record = replace(self.record, healed_s=time.monotonic(), targets=tuple(targets))
        self._note("fault.healing")
        try:
            if inspect.getgeneratorstate(stages) == inspect.GEN_CLOSED and errors:
                # The injection itself failed, perhaps half way: nobody but the resets can heal.
                if not self._spared:
                    self.reset(self.planned.resets())
                return
            stage = next(stages, ())
            if isinstance(stage, Measure):
                stage = ()  # nothing was injected, and no proof of an undoing can follow
            restored = self._prove(stage, wait=wait)
            self._note_proofs(restored=restored)
            _demand(restored, self.planned, "heal")
            self.record = replace(self.record, restored_s=max(proof.time_s for proof in restored))
            self._note("fault.restored")
        except Exception as error:  # noqa: BLE001  # told together with what it follows
            errors.append(error)
        finally:
            stages.close()

    def _identities(self) -> dict[str, str]:
        """Who each bystander is before anything happens."""
        return {each.name: each.identity() for each in self.bystanders}

    def _prove_bystanders(self, identities: dict[str, str]) -> None:
        """Everything that the fault does not aim at runs on as the same process, and answers."""
        proofs: tuple[Proof, ...]
        if self.bystanders:
            checks = [_unharmed(each, identities[each.name]) for each in self.bystanders]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                proofs = tuple(pool.map(lambda check: self._prove(check)[0], checks))
        else:
            nobody = "there is nothing else that could be harmed"
            proofs = (Proof(nobody, proven=True, seen="no bystander", time_s=time.monotonic()),)
        self._note_proofs(bystander=proofs)
        _demand(proofs, self.planned, "spare its bystanders")

    def _prove(self, checks: Sequence[Check] | Check, *, wait: bool = True) -> tuple[Proof, ...]:
        listed = [checks] if isinstance(checks, Check) else checks
        longest_s = self.patience_s if wait else 0.0
        if longest_s is not None:
            listed = [replace(each, within_s=min(each.within_s, longest_s)) for each in listed]
        return tuple(await_proof(check, self.watch) for check in listed)

    def _note_proofs(self, **kinds: tuple[Proof, ...]) -> None:
        self.record = replace(self.record, proof=replace(self.record.proof, **kinds))

    def _note(self, kind: str, time_s: float | None = None) -> None:
        targets = ",".join(target.name for target in self.planned.targets)
        self.recorder.event(kind, self.planned.name, {"targets": targets}, time_s)


def _unharmed(bystander: Target, before: str) -> Check:
    return shown(
        f"{bystander.name} runs on undisturbed",
        lambda: bystander.identity() == before and bystander.answers(),
        lambda: f"{before} before, {bystander.identity()} now",
        within_s=2.0,
    )


def _demand(proofs: Sequence[Proof], planned: Planned, what: str) -> None:
    """Raise UnprovenError unless there are proofs, and all of them hold."""
    if not proofs:
        raise UnprovenError(
            f"the fault {planned.name!r} was not shown to {what}: it offers no proof"
        )
    for proof in proofs:
        if not proof.proven:
            raise UnprovenError(
                f"the fault {planned.name!r} was not shown to {what}: expected that "
                f"{proof.statement}; seen: {proof.seen}{_bounds(proof)}"
            )


def _bounds(proof: Proof) -> str:
    if proof.least is None or proof.most is None:
        return ""
    return f", expected {proof.least:.4g} to {proof.most:.4g} {proof.unit}"
