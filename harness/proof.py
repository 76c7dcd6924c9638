"""What a fault shows for itself: a baseline that is measured, and statements that become true.

A check looks at the world by a path that the injector does not use. Where what it looks at is a
number, the proof keeps that number beside the bounds that it had to meet.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.history import Proof

_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look showed: whether the statement is true, in words, and as a number if any."""

    is_true: bool
    seen: str
    measured: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A statement, and how to look whether it is true now."""

    statement: str
    look: Callable[[], Sight]
    within_s: float
    unit: str = ""
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to be measured before anything is disturbed, for the effect to be held against."""

    statement: str
    take: Callable[[], float]
    unit: str


def measured(statement: str, take: Callable[[], float], unit: str) -> Measure:
    """A baseline for a fault to yield before it injects; the ``yield`` gives its number back."""
    return Measure(statement, take, unit)


def shown(
    statement: str,
    is_true: Callable[[], bool],
    see: Callable[[], str] | None = None,
    within_s: float = 10.0,
) -> Check:
    """A check for a fault to yield: awaited until it is true, at most ``within_s`` seconds."""

    def look() -> Sight:
        true = is_true()
        seen = see() if see is not None else ("it is so" if true else "it is not so")
        return Sight(true, seen)

    return Check(statement, look, within_s)


def between(
    statement: str,
    take: Callable[[], float],
    least: float,
    most: float,
    unit: str,
    within_s: float = 10.0,
) -> Check:
    """A check of a number: awaited until it lies within the bounds, both included.

    A measurement that fails with an OSError (a time-out is one) is not within any bounds.
    """

    def look() -> Sight:
        try:
            value = take()
        except OSError as error:
            return Sight(False, f"could not be measured: {type(error).__name__}: {error}")
        return Sight(least <= value <= most, f"{value:.4g} {unit}", value)

    return Check(statement, look, within_s, unit, least, most)


def take_baseline(measure: Measure) -> Proof:
    """Measure now. A measurement that fails is a baseline without a number, and not proven."""
    try:
        value = measure.take()
    except OSError as error:
        seen = f"could not be measured: {type(error).__name__}: {error}"
        return Proof(measure.statement, False, seen, time.monotonic(), None, measure.unit)
    seen = f"{value:.4g} {measure.unit}"
    return Proof(measure.statement, True, seen, time.monotonic(), value, measure.unit)


def await_proof(check: Check, watch: Callable[[], None]) -> Proof:
    """Look until the statement is true, or its time is over; ``watch`` may raise meanwhile."""
    deadline_s = time.monotonic() + check.within_s
    pause = threading.Event()
    while True:
        sight = check.look()
        now_s = time.monotonic()
        if sight.is_true or now_s > deadline_s:
            return Proof(
                check.statement,
                sight.is_true,
                sight.seen,
                now_s,
                sight.measured,
                check.unit,
                check.least,
                check.most,
            )
        watch()
        pause.wait(_POLL_S)
