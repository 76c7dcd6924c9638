"""What each replica was over time, and when the balancer believed that it could be sent calls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.fleet import Life
from harness.history import History


@dataclass(frozen=True, slots=True)
class State:
    """A stretch of one replica's life."""

    word: str  # starting | ready | not ready | down | stopped
    began_s: float
    ended_s: float


def states(life: Life, known: Mapping[str, Life], history: History) -> Iterator[State]:
    """The stretches of a life: starting, ready and not ready in turn, then down or stopped."""
    end_s = history.ended_s if life.died_s is None else life.died_s
    word, since_s = "starting", life.ordered_s
    changes = {"replica.ready": "ready", "replica.unready": "not ready"}
    for event in history.of_kind(*changes, subject=life.name):
        if changes[event.kind] != word and event.time_s < end_s:
            yield State(word, since_s, event.time_s)
            word, since_s = changes[event.kind], event.time_s
    yield State(word, since_s, end_s)
    if life.died_s is not None:
        # It is missed until the platform orders its successor, whose life goes on from there.
        heirs = [each.ordered_s for each in known.values() if each.predecessor == life.name]
        until_s = min([*heirs, history.ended_s])
        yield State("stopped" if life.exit_code == 0 else "down", life.died_s, until_s)


def believed(life: Life, history: History) -> Iterator[tuple[float, float]]:
    """From when to when the balancer sent calls to the replica."""
    since_s: float | None = None
    for event in history.of_kind("replica.routed", "replica.unrouted", subject=life.name):
        if event.kind == "replica.routed":
            since_s = event.time_s if since_s is None else since_s
        elif since_s is not None:
            yield since_s, event.time_s
            since_s = None
    if since_s is not None:
        yield since_s, history.ended_s
