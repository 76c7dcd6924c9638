"""Readiness held against what a replica can do: false readiness is short."""

from collections.abc import Iterable
from dataclasses import replace

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

    Left out are typed refusals while a fault holds what all replicas depend on: there, being
    unready would take everybody out of rotation at once, and help nobody.
    """
    promised = limits.false_ready_s
    fleet = lives(history.events)
    shared = [fault for fault in history.faults if not set(fault.targets) & set(fleet)]
    excused = [event for event in history.during("witness") if _is_excused(event, shared)]
    judged = replace(history, events=_without(history.events, excused))
    seen = truths(judged)
    samples = sum(each.samples for each in seen)
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


def _is_excused(sample: Event, shared: Iterable[FaultRecord]) -> bool:
    return sample.details.get("code") in _TYPED and any(
        fault.injected_s - _OVERTAKEN_S <= sample.time_s <= _over_s(fault) for fault in shared
    )


def _over_s(fault: FaultRecord) -> float:
    return float("inf") if fault.restored_s is None else fault.restored_s


def _without(events: Iterable[Event], excused: Iterable[Event]) -> tuple[Event, ...]:
    left_out = set(map(id, excused))
    return tuple(event for event in events if id(event) not in left_out)


def _lacking(history: History, samples: int, fleet: dict[str, Life], limits: Limits) -> str | None:
    """What the samples do not show, or None if they show enough."""
    if samples < limits.probes_needed:
        return f"{count(samples, 'sample')} of a witness, {limits.probes_needed} needed"
    for fault in history.faults:
        over_s = min(_over_s(fault), history.ended_s)
        aimed = set(fault.targets) & set(fleet) or set(fleet)
        if not any(
            event.subject in aimed and fault.injected_s - _OVERTAKEN_S <= event.time_s <= over_s
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
