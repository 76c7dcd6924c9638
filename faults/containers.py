"""Faults of whole containers: replicas, the balancer, backing services.

What ends is healed by the platform, which fills the place again; its restart back-off (10 s to
300 s, times the platform's time scale) makes later ends in one place last longer.
"""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from faults._crashing import Crashing
from faults._endings import (
    MANY,
    SUCCESSOR_WITHIN_S,
    answers_again,
    asking,
    ended,
    frozen,
    gone,
    held_s,
    longest_s,
    replaced,
    round_trip_of,
)
from harness.errors import FaultError
from harness.fault import Planned, Stages, between, fault, measured, shown
from harness.platform import Killable, Parent, Pausable, Stoppable, Succeeded

_STAYS_S = 1.0


@fault
def kill(*targets: Killable) -> Stages:
    """SIGKILL, to all targets at once: they are gone, with whatever they had in flight."""
    with ThreadPoolExecutor(len(targets)) as pool:
        # The engine answers only after it has cleaned up, long after the death: watch meanwhile.
        orders = [pool.submit(target.kill) for target in targets]
        yield gone(targets)
        for order in orders:
            order.result()
    # Healing a kill is the platform's work: what is left to show is that it did it.
    yield [replaced(target) for target in targets]


def stop(*targets: Stoppable, grace_s: float = 10.0) -> Planned:
    """The image's stop signal (SIGTERM unless it names another), to all targets at once.

    Whoever still runs after ``grace_s`` whole seconds is ended by SIGKILL; the proof tells which it
    was. Raises FaultError where ``grace_s`` is not a whole number from 1.
    """
    if not (math.isfinite(grace_s) and grace_s >= 1 and grace_s == int(grace_s)):
        raise FaultError(
            f"stop: expected grace_s as a whole number from 1, because the engine counts whole "
            f"seconds, saw {grace_s:g} s"
        )

    @fault
    def stop(*targets: Stoppable) -> Stages:
        ordered_s = time.monotonic()
        with ThreadPoolExecutor(len(targets)) as pool:
            orders = [pool.submit(target.stop, grace_s) for target in targets]
            ends = [check for each in targets for check in ended(each, ordered_s, grace_s)]
            yield [*gone(targets, longest_s(grace_s)), *ends]
            for order in orders:
                order.result()
        yield [replaced(target) for target in targets]

    return stop(*targets)


@fault
def pause(*targets: Pausable) -> Stages:
    """Freeze all targets at once: connections are accepted, and nobody answers. Heals by thawing.

    Where the platform's liveness probe ends a frozen target, its successor has to answer instead.
    """
    before_ms = {}
    for target in targets:
        before_ms[target.name] = yield measured(round_trip_of(target), asking(target), "ms")
    try:
        _at_once([target.pause for target in targets])
        yield [check for target in targets for check in frozen(target)]
    finally:
        _at_once([target.resume for target in targets])
    yield [answers_again(target, before_ms[target.name]) for target in targets]


def crash_loop(target: Succeeded, after_s: float, back_within_s: float = 30.0) -> Planned:
    """SIGKILL ``after_s`` after each start, to the target and to whoever takes its place.

    Proven by the second death. Once healed, who is in the place has to outlive ``after_s`` by a
    second, within ``back_within_s`` and that: at a time scale of 1, allow for the platform's
    back-off of up to 300 s. Raises FaultError where either time is not above 0.
    """
    _demand("crash_loop", "after_s", after_s)
    _demand("crash_loop", "back_within_s", back_within_s)

    @fault
    def crash_loop(target: Succeeded) -> Stages:
        with Crashing(target, after_s) as crashing:
            yield between(
                f"deaths in the place of {target.name}, each of another process",
                lambda: float(sum(each.end() is not None for each in target.lineage())),
                2.0,
                MANY,
                "deaths",
                within_s=SUCCESSOR_WITHIN_S + 2 * after_s,
            )
        crashing.check()
        least_s = after_s + _STAYS_S
        yield between(
            f"for how long who is in the place of {target.name} has run, and it answers",
            lambda: held_s(target),
            least_s,
            least_s + MANY,
            "s",
            within_s=back_within_s + least_s,
        )

    def dead() -> Sequence[str]:
        return [each.name for each in target.lineage() if each.end() is not None]

    return replace(crash_loop(target), also_hit=dead)


@fault
def kill_child(target: Parent) -> Stages:
    """SIGKILL to the oldest child of the target's first process, which may live on or not.

    Raises FaultError, and disturbs nothing, where the first process has no child.
    """
    before_ms = yield measured(round_trip_of(target), asking(target), "ms")
    first = target.identity()
    with target.children() as children:
        running = children.running()
        if not running:
            raise FaultError(
                f"kill child: expected a child process of the first process of {target.name}, "
                "found none: there is only the first process itself, which kill() ends"
            )
        pid = min(running, key=lambda each: (int(running[each]), each))
        children.kill(pid)
        yield [
            shown(
                f"process {pid} of {target.name} is gone",
                lambda: children.running().get(pid) != running[pid],
                lambda: f"among {len(children.running())} children of the first process",
            ),
            shown(
                f"the first process of {target.name} is the same, or has ended with it",
                lambda: target.end() is not None or target.identity() == first,
                lambda: f"it ended: {target.end()}" if target.end() else f"the same: {first}",
            ),
        ]
    yield answers_again(target, before_ms)


def _at_once(actions: Sequence[Callable[[], None]]) -> None:
    """Carry them all out, side by side; what fails stops no other, and is told when all are."""
    with ThreadPoolExecutor(max(len(actions), 1)) as pool:
        orders = [pool.submit(action) for action in actions]
    errors = [error for order in orders if isinstance(error := order.exception(), Exception)]
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup("at several targets", errors)


def _demand(fault_name: str, parameter: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise FaultError(f"{fault_name}: expected {parameter} above 0, saw {value:g}")
