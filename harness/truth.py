"""Readiness held against the truth: what is said of a replica, and whether it can answer.

                        answers a golden request    does not
    says ready          true ready                  false ready
    does not say so     false unready               true unready

In seconds, for the replica's own word and for what the balancer believed. A pure function of a
history with the samples of a witness.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.fleet import lives
from harness.history import Event, History

_REACH_S = 3.5
"""A sample speaks for the time until the next one, but no longer: a frozen replica's takes 3 s."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Seconds in each of the four states, and the longest stretch in the two false ones."""

    true_ready_s: float = 0.0
    false_ready_s: float = 0.0
    false_unready_s: float = 0.0
    true_unready_s: float = 0.0
    longest_false_ready_s: float = 0.0
    longest_false_unready_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Truth:
    """One replica in one scenario."""

    replica: str
    samples: int
    own: Confusion
    """By what it said itself, asked directly."""
    believed: Confusion
    """By whether the balancer sent calls there."""


@dataclass(frozen=True, slots=True)
class _Span:
    began_s: float
    ended_s: float
    ready: bool
    correct: bool


def truths(history: History) -> tuple[Truth, ...]:
    """Of each replica that a witness asked inside the scenario, in order of their names."""
    sampled: dict[str, list[Event]] = {}
    for event in history.during("witness"):
        sampled.setdefault(event.subject, []).append(event)
    routed, fleet = _routed(history), lives(history.events)
    result = []
    for replica, samples in sorted(sampled.items()):
        died_s = fleet[replica].died_s if replica in fleet else None
        over_s = history.ended_s if died_s is None else min(history.ended_s, died_s)
        spans = list(_spans(samples, over_s))
        believed = [part for span in spans for part in _split(span, replica, routed)]
        result.append(Truth(replica, len(samples), _confusion(spans), _confusion(believed)))
    return tuple(result)


def _spans(samples: Sequence[Event], over_s: float) -> Iterator[_Span]:
    """What each sample speaks for: until the next one, the replica's death, or the end."""
    ends = [*(each.time_s for each in samples[1:]), over_s]
    for sample, end_s in zip(samples, ends, strict=True):
        ended_s = min(end_s, sample.time_s + _REACH_S, over_s)
        if ended_s > sample.time_s:
            said, did = sample.details.get("ready") is True, sample.details.get("correct") is True
            yield _Span(sample.time_s, ended_s, said, did)


def _routed(history: History) -> list[tuple[float, frozenset[str]]]:
    """When the balancer's list changed, and to what."""
    changes = [(float("-inf"), frozenset[str]())]
    for event in history.of_kind("balancer.routes"):
        names = str(event.details.get("replicas") or "").split(",")
        changes.append((event.time_s, frozenset(name.strip() for name in names)))
    return changes


def _split(
    span: _Span, replica: str, routed: Sequence[tuple[float, frozenset[str]]]
) -> Iterator[_Span]:
    """The span by what the balancer believed: its parts between changes of the balancer's list."""
    ends = (*routed[1:], (float("inf"), frozenset[str]()))
    for (from_s, names), (to_s, _) in zip(routed, ends, strict=True):
        began_s, ended_s = max(span.began_s, from_s), min(span.ended_s, to_s)
        if began_s < ended_s:
            yield _Span(began_s, ended_s, replica in names, span.correct)


def _confusion(spans: Sequence[_Span]) -> Confusion:
    def seconds(*, ready: bool, correct: bool) -> float:
        alike = (each for each in spans if (each.ready, each.correct) == (ready, correct))
        return round(sum(each.ended_s - each.began_s for each in alike), 3)

    return Confusion(
        seconds(ready=True, correct=True),
        seconds(ready=True, correct=False),
        seconds(ready=False, correct=True),
        seconds(ready=False, correct=False),
        _longest_s(spans, ready=True),
        _longest_s(spans, ready=False),
    )


def _longest_s(spans: Iterable[_Span], *, ready: bool) -> float:
    """The longest stretch without a break in which the word was this, and false."""
    longest_s = stretch_s = 0.0
    last_s = float("-inf")
    for each in spans:
        if each.ready is not ready or each.correct is ready:
            stretch_s = 0.0
            continue
        stretch_s = (stretch_s if each.began_s - last_s < 1e-6 else 0.0) + (
            each.ended_s - each.began_s
        )
        last_s = each.ended_s
        longest_s = max(longest_s, stretch_s)
    return round(longest_s, 3)
