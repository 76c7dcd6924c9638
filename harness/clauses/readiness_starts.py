"""Readiness while a replica starts: not before it can infer, and not without its model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.clauses._probes import READINESS, is_own_word, said
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import WITHOUT_MODEL, Life, lives
from harness.history import Event, History

_WATCHED_S = 10.0  # of each start
_DYING_S = 1.0  # what a replica does in its last second says nothing of its start
_SERVER_EXISTS = ("OK", "200", "503")


@clause("S4", "A starting replica never says that it is ready before it can infer")
def not_ready_too_soon(history: History, limits: Limits) -> Finding:
    """Pairs of word and deed from the start on: "ready", and right after it a golden request."""
    starts = [start for start in _watched(history) if start.samples]
    early = [(start, sample) for start in starts for sample in start.samples if _is_early(sample)]
    enough = [each for each in starts if len(each.samples) >= limits.start_samples_needed]
    if not early and len(enough) < limits.watched_starts_needed:
        return missing(
            0,
            "samples",
            f"{count(len(enough), 'start')} of {len(starts)} watched were sampled "
            f"{limits.start_samples_needed} times, {limits.watched_starts_needed} needed",
            (each.told(history) for each in starts),
        )
    samples = sum(len(each.samples) for each in starts)
    sentence = (
        f"{len(early)} of {count(samples, 'sample')} in {count(len(starts), 'start')} said ready "
        "and could not answer"
    )
    evidence = few(
        (
            *(
                f"{start.life.name} at {at(history, sample.time_s)}: ready, and a golden request "
                f"ended {sample.details.get('code')}"
                for start, sample in early
            ),
            *(each.told(history) for each in starts),
        )
    )
    return Finding(not early, 0, len(early), "samples", sentence, evidence)


@clause("S5", "Ready means that the model is there: a replica that cannot load it never says so")
def empty_is_not_ready(history: History, limits: Limits) -> Finding:
    """All that replicas without their model said, to the probe and to the witness."""
    empty = _without_model(history)
    answers = [each for each in _own_answers(history, empty) if _exists(each)]
    false = [each for each in answers if each.details.get("answer") is True]
    seen = [event for event in history.of_kind("witness") if event.subject in empty]
    told = [event for event in seen if event.details.get("ready") is True]
    evidence = few(
        (
            *(said(each, history) for each in false),
            *(f"{each.subject} at {at(history, each.time_s)}: ready, by its word" for each in told),
        )
    )
    wrong = len(false) + len(told)
    if not wrong and len(answers) < limits.probes_needed:
        return missing(
            0,
            "answers",
            f"{count(len(answers), 'answer')} of replicas without their model, "
            f"{limits.probes_needed} needed",
        )
    sentence = (
        f"{wrong} of {count(len(answers) + len(seen), 'answer')} of {_names(empty)}, which could "
        "not load a model, said ready"
    )
    return Finding(wrong == 0, 0, wrong, "answers", sentence, evidence)


@clause("R6", "It takes more than a gRPC server to pass for ready")
def more_than_a_server(history: History, limits: Limits) -> Finding:
    """What the platform's own check was told by servers that ran, and had no model as yet."""
    fleet = lives(history.events)
    empty = _without_model(history)
    found = _ready_rounds(history, fleet)
    answers = [
        event
        for event in _own_answers(history, fleet)
        if _exists(event) and (event.subject in empty or _is_before_ready(event, fleet, found))
    ]
    passed = [each for each in answers if each.details.get("answer") is True]
    if not passed and len(answers) < limits.probes_needed:
        return missing(
            0,
            "answers",
            f"{count(len(answers), 'answer')} of servers that ran without a model, "
            f"{limits.probes_needed} needed",
        )
    surfaces = sorted({str(each.details["surface"]) for each in answers})
    sentence = (
        f"{len(passed)} of {count(len(answers), 'answer')} of {', '.join(surfaces)} passed for "
        f"ready on {count(len({each.subject for each in answers}), 'server')} without a model"
    )
    evidence = few(said(each, history) for each in passed)
    return Finding(not passed, 0, len(passed), "answers", sentence, evidence)


@dataclass(frozen=True, slots=True)
class _Start:
    """A start that a witness saw from before its readiness on."""

    life: Life
    samples: Sequence[Event]

    def told(self, history: History) -> str:
        ready = sum(1 for each in self.samples if each.details.get("ready") is True)
        return (
            f"{self.life.name}, ordered at {at(history, self.life.ordered_s)}: "
            f"{count(len(self.samples), 'sample')}, {ready} of them ready"
        )


def _watched(history: History) -> Iterable[_Start]:
    """The starts whose first sample came before they were ready."""
    sampled: dict[str, list[Event]] = {}
    for event in history.of_kind("witness"):
        sampled.setdefault(event.subject, []).append(event)
    for life in lives(history.events).values():
        samples = sampled.get(life.name, [])
        ready_s = float("inf") if life.ready_s is None else life.ready_s
        if samples and samples[0].time_s < ready_s:
            yield _Start(life, [each for each in samples if _counts(each, life, history)])


def _counts(sample: Event, life: Life, history: History) -> bool:
    began_s = life.ordered_s if life.started_s is None else life.started_s
    dying_s = float("inf") if life.died_s is None else life.died_s - _DYING_S
    inside = sample.time_s <= min(began_s + _WATCHED_S, history.ended_s)
    disturbed = any(
        life.name in fault.targets and fault.injected_s - _DYING_S <= sample.time_s
        for fault in history.faults
    )
    return inside and sample.time_s < dying_s and not disturbed


def _is_early(sample: Event) -> bool:
    return sample.details.get("ready") is True and sample.details.get("correct") is not True


def _without_model(history: History) -> set[str]:
    ordered = history.of_kind("replica.ordered")
    return {event.subject for event in ordered if event.details.get("reason") == WITHOUT_MODEL}


def _own_answers(history: History, names: Iterable[str]) -> list[Event]:
    """What the probes of these replicas were told about readiness, up to the scenario's end."""
    known = set(names)
    return [
        event
        for event in history.of_kind("probe")
        if event.subject in known
        and event.details["surface"] in READINESS
        and is_own_word(event)
        and event.time_s <= history.ended_s
    ]


def _exists(probe: Event) -> bool:
    """Whether a server answered, whatever it said."""
    return str(probe.details.get("code")) in _SERVER_EXISTS


def _ready_rounds(history: History, fleet: Mapping[str, Life]) -> dict[str, object]:
    """For each replica that became ready, the round of probes that found it so."""
    found: dict[str, object] = {}
    for event in history.of_kind("probe"):
        life = fleet.get(event.subject)
        if life is not None and life.ready_s is not None and event.time_s <= life.ready_s:
            found[event.subject] = event.details.get("round")
    return found


def _is_before_ready(probe: Event, fleet: Mapping[str, Life], found: Mapping[str, object]) -> bool:
    """Whether the platform took the replica for ready only in a later round.

    Of one that never was ready nobody can tell whether it had its model.
    """
    ready_s = fleet[probe.subject].ready_s
    before = ready_s is not None and probe.time_s < ready_s
    return before and probe.details.get("round") != found.get(probe.subject)


def _names(replicas: Iterable[str]) -> str:
    return ", ".join(sorted(replicas)) or "nobody"
