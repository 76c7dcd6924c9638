"""Readiness held against what a replica can do: false readiness is short."""

from collections.abc import Iterable
from dataclasses import replace

from harness.clauses._faults import DATABASE, STORE, over_s
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import Event, FaultRecord, History
from harness.truth import Truth, truths

_TYPED = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
_OVERTAKEN_S = 2.0  # a sample may be under way for that long before its fault is noticed


@clause("R2", "A replica does not go on saying that it is ready when it cannot answer")
def readiness_is_true(history: History, limits: Limits) -> Finding:
    """The longest stretch of "ready" beside golden requests that fail, by the replica's own word.

    Left out are typed refusals while a fault holds the database or the store, which all replicas
    depend on, or all replicas: there, being unready would take everybody out of rotation at once,
    and help nobody.
    """
    promised = limits.false_ready_s
    fleet = lives(history.events)
    shared = [fault for fault in history.faults if _hits_all(fault, fleet)]
    excused = [event for event in history.during("witness") if _is_excused(event, shared)]
    judged = replace(history, events=_without(history.events, excused))
    seen = truths(replace(history, events=_disregarding(history.events, excused)))
    samples = sum(each.samples for each in seen) - len(excused)
    longest_s = max((each.own.longest_false_ready_s for each in seen), default=0.0)
    held = longest_s <= promised
    lacking = _lacking(judged, samples, fleet, limits)
    if held and lacking:
        return missing(promised, "s", lacking)
    left_out = f"; {count(len(excused), 'typed refusal')} of a shared loss left out"
    sentence = (
        f"{count(samples, 'sample')} of {count(len(seen), 'replica')}: ready and unable to answer "
        f"for at most {longest_s:.2f} s at a stretch, {_total_s(seen, 'false_ready_s'):.2f} s in "
        f"all; unready and able to for {_total_s(seen, 'false_unready_s'):.2f} s"
        f"{left_out if excused else ''}"
    )
    evidence = few((*_false_words(judged, seen), *(_told(each) for each in seen)))
    return Finding(held, promised, round(longest_s, 3), "s", sentence, evidence)


def _hits_all(fault: FaultRecord, fleet: dict[str, Life]) -> bool:
    """Whether it was aimed at what no replica answers without, or at each that was ready then."""
    targets = set(fault.targets)
    ready = {life.name for life in fleet.values() if _is_ready(life, fault.injected_s)}
    return bool(targets & {*DATABASE, *STORE}) or (bool(ready) and ready <= targets)


def _is_ready(life: Life, time_s: float) -> bool:
    began = life.ready_s is not None and life.ready_s <= time_s
    return began and (life.died_s is None or life.died_s > time_s)


def _is_excused(sample: Event, shared: Iterable[FaultRecord]) -> bool:
    """Whether it was refused, with a code that says so, while such a fault was in force.

    A sample bears the time when it began; its refusal came later, and that is what counts.
    """
    refused_s = sample.time_s + float(sample.details.get("latency_ms") or 0.0) / 1000
    return sample.details.get("code") in _TYPED and any(
        fault.injected_s <= refused_s and sample.time_s <= over_s(fault) for fault in shared
    )


def _without(events: Iterable[Event], excused: Iterable[Event]) -> tuple[Event, ...]:
    left_out = set(map(id, excused))
    return tuple(event for event in events if id(event) not in left_out)


def _disregarding(events: Iterable[Event], excused: Iterable[Event]) -> tuple[Event, ...]:
    """The events, with no word of readiness in those samples.

    They stay in their places: without them, the sample before would speak for their time as well.
    """
    wordless = set(map(id, excused))
    return tuple(
        replace(event, details={**event.details, "ready": None}) if id(event) in wordless else event
        for event in events
    )


def _lacking(history: History, samples: int, fleet: dict[str, Life], limits: Limits) -> str | None:
    """What the samples do not show, or None if they show enough."""
    if samples < limits.probes_needed:
        return f"{count(samples, 'sample')} of a witness, {limits.probes_needed} needed"
    for fault in history.faults:
        until_s = min(over_s(fault), history.ended_s)
        aimed = set(fault.targets) & set(fleet) or set(fleet)
        if not any(
            event.subject in aimed and fault.injected_s - _OVERTAKEN_S <= event.time_s <= until_s
            for event in history.of_kind("witness")
        ):
            return f"nobody was asked while {fault.name} was in force"
    return None


def _total_s(seen: Iterable[Truth], state: str) -> float:
    return sum(float(getattr(each.own, state)) for each in seen)


def _told(each: Truth) -> str:
    own, believed = each.own, each.believed
    return (
        f"{each.replica}: own word false ready {own.false_ready_s:.2f} s, false unready "
        f"{own.false_unready_s:.2f} s; the balancer's {believed.false_ready_s:.2f} s and "
        f"{believed.false_unready_s:.2f} s"
    )


def _false_words(history: History, seen: Iterable[Truth]) -> Iterable[str]:
    """The first sample of false readiness of each replica that had any."""
    for each in seen:
        false = (
            event
            for event in history.during("witness")
            if event.subject == each.replica
            and event.details.get("ready") is True
            and event.details.get("correct") is not True
        )
        first = next(false, None)
        if first is not None:
            yield (
                f"{each.replica} said that it was ready at {at(history, first.time_s)}; a golden "
                f"request ended {first.details.get('code')}"
            )
