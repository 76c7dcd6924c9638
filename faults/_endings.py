"""What proves a fault of containers: that they are gone, silent, replaced, or back."""

import time
from collections.abc import Callable, Sequence

from harness.fault import Check, between, shown
from harness.platform import End, Pausable, Stoppable, Succeeded, Target
from harness.proof import Sight

WITHIN_S = 10.0
SUCCESSOR_WITHIN_S = 30.0
MANY = 1000.0  # no bound at all, in the only form that every file format can tell

_SIGKILLED = 137
_ENGINE_S = 5.0  # what the engine may take on top of a grace
_EARLY_S = 0.5  # the engine rounds a grace: a SIGKILL this much sooner is still its end
_SILENT_MS = 300.0  # without an answer: a hundred times what any of these takes to give one
_LOOKING_MS = 320.0
_ANSWER_S = 2.0
_BACK_WITHIN_MS = 50.0  # of the round trip before


def gone(targets: Sequence[Target], within_s: float = WITHIN_S) -> Sequence[Check]:
    """By knocking at their ports, which the engine has no part in, and by the engine's word.

    In this order: knocking is cheap, while the engine that is asked has less time to replace.
    """
    return [
        *(_refuses(target, within_s) for target in targets),
        *(_runs_no_more(target, within_s) for target in targets),
    ]


def _refuses(target: Target, within_s: float) -> Check:
    def look() -> Sight:
        accepted = target.answers()
        return Sight(not accepted, "accepted" if accepted else "refused")

    return Check(f"nobody accepts a connection on the port of {target.name}", look, within_s)


def _runs_no_more(target: Target, within_s: float) -> Check:
    def look() -> Sight:
        runs = target.is_running()
        return Sight(not runs, "running" if runs else "not running")

    return Check(f"the engine says that {target.name} runs no more", look, within_s)


def ended(target: Stoppable, ordered_s: float, grace_s: float) -> Sequence[Check]:
    """After how long, with which exit code, and by whose doing."""
    within_s = longest_s(grace_s)

    def end() -> End:
        seen = target.end()
        if seen is None:
            raise TimeoutError(f"{target.name} has not ended")
        return seen

    return [
        between(
            f"seconds from the stop signal to the end of {target.name}",
            lambda: end().time_s - ordered_s,
            0.0,
            within_s,
            "s",
            within_s,
        ),
        between(
            f"exit code of {target.name}", lambda: float(end().exit_code), 0.0, 255.0, "", within_s
        ),
        shown(
            f"{target.name} ended by itself in its grace, or by SIGKILL when that was over",
            lambda: (seen := target.end()) is not None and not _is_early(seen, ordered_s, grace_s),
            lambda: _how(target.end(), ordered_s, grace_s),
            within_s,
        ),
    ]


def longest_s(grace_s: float) -> float:
    """How long the end of what is asked to end may take."""
    return grace_s + _ENGINE_S


def _how(end: End | None, ordered_s: float, grace_s: float) -> str:
    if end is None:
        return "it has not ended"
    after = f"{end.time_s - ordered_s:.2f} of {grace_s:g} s"
    if end.exit_code != _SIGKILLED:
        return f"not SIGKILLed: exit code {end.exit_code} after {after}"
    return f"SIGKILLed after {after}"


def _is_early(end: End, ordered_s: float, grace_s: float) -> bool:
    """Whether it was SIGKILLed while it had grace left: then by somebody else."""
    return end.exit_code == _SIGKILLED and end.time_s - ordered_s < grace_s - _EARLY_S


def replaced(target: Target) -> Check:
    """Whoever took its place is ready to serve."""
    return shown(
        f"a successor of {target.name} is ready",
        target.successor_is_ready,
        lambda: "ready" if target.successor_is_ready() else "none is ready",
        within_s=SUCCESSOR_WITHIN_S,
    )


def round_trip_of(target: Target) -> str:
    """What ``asking`` measures, in words."""
    return f"round trip of the least question that {target.name} answers"


def asking(target: Pausable | Succeeded) -> Callable[[], float]:
    """The round trip to it, or to whoever took its place: in milliseconds."""

    def ask() -> float:
        incumbent = target.lineage()[-1] if isinstance(target, Succeeded) else target
        return incumbent.round_trip_ms(_ANSWER_S)

    return ask


def frozen(target: Pausable) -> Sequence[Check]:
    """By a question that is sent and gets no answer, and by the engine's word."""

    def silent_ms() -> float:
        began_s = time.monotonic()
        try:
            return target.round_trip_ms(_LOOKING_MS / 1000)
        except TimeoutError:
            return (time.monotonic() - began_s) * 1000

    return [
        between(
            f"for how long {target.name} owes an answer on an accepted connection",
            silent_ms,
            _SILENT_MS,
            MANY,
            "ms",
        ),
        shown(
            f"the engine says that {target.name} is frozen",
            target.is_paused,
            lambda: "frozen" if target.is_paused() else "not frozen",
        ),
    ]


def answers_again(target: Pausable | Succeeded, before_ms: float) -> Check:
    """It, or whoever took its place, answers about as quickly as before."""
    return between(
        f"round trip of the least question to {target.name}, or to who took its place",
        asking(target),
        0.0,
        before_ms + _BACK_WITHIN_MS,
        "ms",
        within_s=SUCCESSOR_WITHIN_S,
    )


def held_s(target: Succeeded) -> float:
    """How long who is in the place has run, where it is ready and answers; else an OSError."""
    incumbent = target.lineage()[-1]
    incumbent.round_trip_ms(_ANSWER_S)
    started_s = incumbent.started_s()
    if started_s is None or not target.successor_is_ready():
        raise ConnectionError(f"nobody in the place of {target.name} is ready")
    return time.monotonic() - started_s
