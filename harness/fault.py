"""The life of a fault: inject, prove the effect, hold, heal, prove the restoration.

    baseline ── inject ── effect proven ══ window ══ heal ── restoration proven
                                  └ bystanders proven unharmed

A fault is a generator function under ``@fault``. It yields twice: what shows that it took effect,
and what shows that it is undone. What it does before the first yield injects, what it
does between the two heals::

    @fault
    def pause(replica: Pausable) -> Stages:
        replica.pause()
        yield shown(f"{replica.name} answers nobody", lambda: not replica.answers())
        replica.resume()
        yield shown(f"{replica.name} answers again", replica.answers)
"""

import functools
import inspect
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeAlias

from harness.errors import FaultError, UnprovenError
from harness.history import FaultRecord, Proof
from harness.platform import Target
from harness.recorder import Recorder

Parameters = ParamSpec("Parameters")

_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Check:
    """A statement, and how to see whether it is true now. ``see`` tells what was seen."""

    statement: str
    is_true: Callable[[], bool]
    see: Callable[[], str]
    within_s: float


Stages: TypeAlias = Generator[Sequence[Check] | Check, None, None]


def shown(
    statement: str,
    is_true: Callable[[], bool],
    see: Callable[[], str] | None = None,
    within_s: float = 10.0,
) -> Check:
    """A check for a fault to yield: awaited until it is true, at most ``within_s`` seconds."""
    return Check(statement, is_true, see or (lambda: "as stated"), within_s)


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault with its targets, not yet injected."""

    name: str
    targets: tuple[Target, ...]
    stages: Callable[[], Stages]


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

    @classmethod
    def of(
        cls,
        planned: Planned,
        scenario: str,
        bystanders: Sequence[Target],
        recorder: Recorder,
        watch: Callable[[], None] = lambda: None,
    ) -> "Injection":
        """One that has not begun."""
        names = tuple(target.name for target in planned.targets)
        record = FaultRecord(scenario, planned.name, names, injected_s=time.monotonic())
        return cls(planned, scenario, bystanders, recorder, record, watch)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Disturb on entry, heal on exit. Raises UnprovenError where either cannot be shown.

        Healing is attempted whatever happens inside; its error does not hide the first one.
        """
        identities = self._identities()
        self._note("fault.injecting")
        self.record = replace(self.record, injected_s=time.monotonic())
        stages = self.planned.stages()
        errors: list[Exception] = []
        interrupted: BaseException | None = None
        try:
            self._prove_effect(next(stages))
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
        if errors:
            raise (
                errors[0] if len(errors) == 1 else ExceptionGroup("disturbing and healing", errors)
            )

    def _prove_effect(self, checks: Sequence[Check] | Check) -> None:
        effect = self._prove(checks)
        self.record = replace(self.record, proof=replace(self.record.proof, effect=effect))
        _demand(effect, self.planned, "take effect")
        self.record = replace(self.record, effect_s=max(proof.time_s for proof in effect))
        self._note("fault.proven")

    def _heal(self, stages: Stages, errors: list[Exception], *, wait: bool) -> None:
        """Undo it. Where the run was told to end, there is one look at what came of it, no wait."""
        self.record = replace(self.record, healed_s=time.monotonic())
        self._note("fault.healing")
        if inspect.getgeneratorstate(stages) == inspect.GEN_CLOSED and errors:
            return  # the injection itself failed: its error tells all that there is to tell
        try:
            restored = self._prove(next(stages, ()), wait=wait)
            self.record = replace(self.record, proof=replace(self.record.proof, restored=restored))
            _demand(restored, self.planned, "heal")
            self.record = replace(self.record, restored_s=max(proof.time_s for proof in restored))
            self._note("fault.restored")
        except Exception as error:  # noqa: BLE001  # told together with what it follows
            errors.append(error)
        finally:
            stages.close()

    def _identities(self) -> dict[str, str]:
        """Who each bystander is before anything happens."""
        if not self.bystanders:
            return {}
        with ThreadPoolExecutor(len(self.bystanders)) as pool:
            return dict(pool.map(lambda each: (each.name, each.identity()), self.bystanders))

    def _prove_bystanders(self, identities: dict[str, str]) -> None:
        """Everything that the fault does not aim at runs on as the same process, and answers."""
        proofs: tuple[Proof, ...]
        if self.bystanders:
            checks = [_unharmed(each, identities[each.name]) for each in self.bystanders]
            with ThreadPoolExecutor(len(checks)) as pool:
                proofs = tuple(pool.map(self._await, checks))
        else:
            nobody = "there is nothing else that could be harmed"
            proofs = (Proof(nobody, proven=True, seen="no bystander", time_s=time.monotonic()),)
        self.record = replace(self.record, proof=replace(self.record.proof, bystander=proofs))
        _demand(proofs, self.planned, "spare its bystanders")

    def _prove(self, checks: Sequence[Check] | Check, *, wait: bool = True) -> tuple[Proof, ...]:
        listed = [checks] if isinstance(checks, Check) else checks
        if not wait:
            listed = [replace(check, within_s=0.0) for check in listed]
        return tuple(self._await(check) for check in listed)

    def _await(self, check: Check) -> Proof:
        """Watch until the statement is true, or its time is over."""
        deadline_s = time.monotonic() + check.within_s
        pause = threading.Event()
        while True:
            true = check.is_true()
            now_s = time.monotonic()
            if true or now_s > deadline_s:
                return Proof(check.statement, true, check.see(), now_s)
            self.watch()
            pause.wait(_POLL_S)

    def _note(self, kind: str) -> None:
        targets = ",".join(target.name for target in self.planned.targets)
        self.recorder.event(kind, self.planned.name, {"targets": targets})


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
                f"{proof.statement}; seen: {proof.seen}"
            )
