"""What a witness, and an examiner of grpc.health.v1, write down while a story happens."""

import numpy as np

from harness.fleet import WITHOUT_MODEL
from tests.clauses.histories import Story
from tests.clauses.telling import BEGAN_S

_FAST_S, _FAST_SAMPLES = 0.05, 100


def witnessed(story: Story, *, period_s: float = 0.5, **failing: tuple[float, float]) -> Story:
    """Each replica asked from its first moment to its last, at 20 Hz for its first 100 samples.

    It is ready and correct from the same instant on. ``failing``: stretches of the scenario in
    which a replica says that it is ready and cannot answer, by names such as ``replica_1``.
    """
    for start in story.starts.values():
        life = start.life
        assert life.started_s is not None
        last_s = min(life.died_s or np.inf, BEGAN_S + story.lasting_s)
        times_s = [life.started_s]
        while times_s[-1] < last_s:
            times_s.append(times_s[-1] + (_FAST_S if len(times_s) < _FAST_SAMPLES else period_s))
        ready_s = np.inf if life.ready_s is None else life.ready_s
        from_s, to_s = failing.get(life.name.replace("-", "_"), (np.inf, np.inf))
        for time_s in times_s[:-1]:
            at_s = time_s - BEGAN_S
            ready = time_s >= ready_s
            correct = ready and not from_s <= at_s < to_s
            sample(story, life.name, at_s=at_s, ready=ready, correct=correct)
        if np.isfinite(ready_s):
            streams(story, life.name, "SERVING", at_s=ready_s - BEGAN_S)
            examined(story, life.name, at_s=ready_s - BEGAN_S + 0.1)
    return story


def sample(
    story: Story,
    replica: str,
    *,
    at_s: float,
    ready: bool | None,
    correct: bool,
    code: str = "UNAVAILABLE",
) -> Story:
    """One pair of word and deed."""
    return story.event(
        "witness",
        replica,
        at_s=at_s,
        ready=ready,
        correct=correct,
        code="OK" if correct else code,
        latency_ms=5.0,
        health=ready,
    )


def streams(story: Story, replica: str, status: str, *, at_s: float) -> Story:
    """A message of the Watch of grpc.health.v1."""
    return story.event("health.watched", replica, at_s=at_s, status=status)


def examined(story: Story, replica: str, *, at_s: float, **other: str | float | None) -> Story:
    """An examination that finds all in order, but for what is named otherwise."""
    found: dict[str, str | float | None] = {
        "whole": "SERVING",
        "service": "SERVING",
        "unknown": "NOT_FOUND",
        "watch_first_ms": 3.0,
        **other,
    }
    return story.event("health.examined", replica, at_s=at_s, **found)


def spare_without_model(
    story: Story, *, at_s: float, for_s: float = 3.0, said: bool = False
) -> Story:
    """A replica beside the fleet that cannot load its model, and what it says to the probe."""
    name = f"spare-{len(story.starts) + 1}"
    story.event("replica.ordered", name, at_s=at_s, slot=-1, predecessor=None, reason=WITHOUT_MODEL)
    for number, time_s in enumerate(np.arange(at_s + 0.5, at_s + for_s, 0.1).tolist()):
        for surface in ("ServerReady", "ModelReady", "health"):
            story.probe(name, surface, said, at_s=time_s, number=number)
    return story.event("replica.died", name, at_s=at_s + for_s, exit_code=0)


def probed_while_starting(story: Story) -> Story:
    """Rounds of probes from each start on: not ready, until the round that finds it ready."""
    for start in story.starts.values():
        life = start.life
        if life.started_s is None or life.ready_s is None:
            continue
        times_s = np.arange(life.started_s, life.ready_s, 0.1).tolist()
        for number, time_s in enumerate(times_s):
            for surface in ("ServerReady", "ModelReady", "health"):
                ready = number == len(times_s) - 1
                story.probe(life.name, surface, ready, at_s=time_s - BEGAN_S, number=number - 1000)
    return story


def readiness_story() -> Story:
    """A witness sees five starts and more, one without its model, and a replica that hangs."""
    story = (
        Story(lasting_s=40).fleet(6).requests().fault("pause", "replica-2", at_s=15, lasting_s=13)
    )
    spare_without_model(probed_while_starting(story), at_s=2)
    return witnessed(story).probes()


def troubled_readiness() -> Story:
    """The replica that hangs costs requests; another says that it is ready, and cannot answer."""
    story = (
        Story(lasting_s=40).fleet(6).requests().fault("pause", "replica-2", at_s=15, lasting_s=13)
    )
    spare_without_model(probed_while_starting(story), at_s=2, said=True)
    examined(witnessed(story, replica_3=(1, 9)), "replica-1", at_s=9, unknown="SERVING")
    return story.meanwhile(16, 17, every=3, status=14).probes()
