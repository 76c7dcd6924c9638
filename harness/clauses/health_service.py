"""grpc.health.v1: that it answers as its own specification says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.history import Event, History

_STATUSES = ("SERVING", "NOT_SERVING")
_UNOFFERED = "UNIMPLEMENTED"


@clause("R4", "grpc.health.v1 answers as specified: Check for each name, Watch at every change")
def health_is_conformant(history: History, limits: Limits) -> Finding:
    """What an examination of it found, and how soon each change of status was streamed."""
    promised = limits.health_within_s
    examined = list(history.of_kind("health.examined"))
    if not examined:
        return missing(promised, "s", "nobody examined grpc.health.v1")
    wrong = [mistake for each in examined for mistake in _mistakes(each, limits)]
    if wrong:
        offered = any(each.details.get("whole") != _UNOFFERED for each in examined)
        sentence = wrong[0] if offered else "grpc.health.v1 is not offered"
        return Finding(False, 0, len(wrong), "mistakes", sentence, few(wrong))
    flips = [flip for name in _subjects(history) for flip in _flips(history, name)]
    slowest_s = max((flip.told_after_s for flip in flips), default=0.0)
    firsts_s = [float(each.details.get("watch_first_ms") or 0.0) / 1000 for each in examined]
    evidence = few(flip.told(history) for flip in sorted(flips, key=lambda f: -f.told_after_s))
    if not flips:
        return missing(promised, "s", "no status changed under the eyes of a witness")
    measured = max(slowest_s, *firsts_s)
    sentence = (
        f"{count(len(examined), 'replica')} answered Check as specified, and Watch within "
        f"{max(firsts_s) * 1000:.0f} ms; {count(len(flips), 'change')} of status streamed within "
        f"{slowest_s * 1000:.0f} ms of the first Check that told it"
    )
    return Finding(measured <= promised, promised, round(measured, 3), "s", sentence, evidence)


@dataclass(frozen=True, slots=True)
class _Flip:
    """A change of status: seen by Check at an instant, and told by Watch so much later."""

    replica: str
    seen_s: float
    ready: bool
    told_after_s: float  # infinity: never

    def told(self, history: History) -> str:
        status = _status(self.ready)
        after = f"{self.told_after_s * 1000:.0f} ms later" if self.told_after_s < 1e9 else "never"
        return (
            f"{self.replica}: Check said {status} at {at(history, self.seen_s)}, Watch said so "
            f"{after if self.told_after_s else 'before'}"
        )


def _mistakes(examined: Event, limits: Limits) -> Iterable[str]:
    said = examined.details
    who = examined.subject
    if said.get("whole") not in _STATUSES:
        yield f"{who}: Check of the whole server said {said.get('whole')}"
    if said.get("service") not in (*_STATUSES, "NOT_FOUND"):
        yield f"{who}: Check of its inference service said {said.get('service')}"
    if said.get("unknown") != "NOT_FOUND":
        yield f"{who}: Check of an unknown service said {said.get('unknown')}, not NOT_FOUND"
    first_ms = said.get("watch_first_ms")
    if first_ms is None or float(first_ms) > limits.health_within_s * 1000:
        late = "no message" if first_ms is None else f"its first message after {first_ms} ms"
        yield f"{who}: Watch gave {late}"


def _subjects(history: History) -> Sequence[str]:
    return sorted({event.subject for event in history.of_kind("witness")})


def _flips(history: History, replica: str) -> Iterable[_Flip]:
    """Each change that two Checks in a row show, beside the messages of the Watch."""
    asked = [
        event
        for event in history.of_kind("witness", subject=replica)
        if event.details.get("health") is not None
    ]
    messages = list(history.of_kind("health.watched", subject=replica))
    for before, after in pairwise(asked):
        ready = after.details["health"] is True
        if ready is (before.details["health"] is True):
            continue
        told = (
            max(0.0, message.time_s - after.time_s)
            for message in messages
            if message.time_s > before.time_s and message.details.get("status") == _status(ready)
        )
        yield _Flip(replica, after.time_s, ready, min(told, default=float("inf")))


def _status(ready: bool) -> str:
    return "SERVING" if ready else "NOT_SERVING"
