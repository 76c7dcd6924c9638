"""What happened where a clause is broken: when, how often, where, and what was said about it.

Only the history speaks here: the requests that the verdict names, or else the instants and replicas
in its evidence, or else the faults that were in force.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.contract import Verdict
from harness.fleet import Life
from harness.history import FaultRecord, History
from reports.attempts import status_word
from reports.measure import failed, wrong
from reports.proofs import fault_name
from reports.requests import Request
from reports.words import milliseconds, plural, seconds

_INSTANT = re.compile(r"(?<![\w.])([+-]\d+\.\d+) s\b")
_WORD = re.compile(r"\w+(?:[.-]\w+)*")
_CODES = 3  # the most frequent status codes that are named
_NAMES = 5  # of replicas, or of what attempts were told
_FAULTS = 4  # where only the faults in force can be named


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened: the question that it answers, and the answer."""

    name: str
    text: str


def happened(
    verdict: Verdict, history: History, fleet: Mapping[str, Life], requests: Sequence[Request]
) -> tuple[Fact, ...]:
    """When, how often and where, as far as the history tells."""
    if requests:
        facts = {
            "when": _first(history, requests),
            "how many": _how_many(history, requests),
            "where": _where(requests),
            "reason given": _told(requests),
        }
    else:
        facts = {"when": _instant(verdict, history), "where": _named(verdict, fleet)}
        if not any(facts.values()):
            unknown = "The evidence names no request, instant or replica."
            facts = {"when": f"{unknown} {_in_force(history)}"}
    return tuple(Fact(name, text) for name, text in facts.items() if text)


def names(verdict: Verdict, fleet: Mapping[str, Life]) -> tuple[str, ...]:
    """The replicas that its sentence or its evidence names, in order."""
    words = (word for line in (verdict.sentence, *verdict.evidence) for word in _WORD.findall(line))
    return tuple(dict.fromkeys(word for word in words if word in fleet))


def _first(history: History, requests: Sequence[Request]) -> str:
    first = min(requests, key=lambda each: each.sent_s)
    return f"The first request named was sent {_when(history, first.sent_s)}."


def _when(history: History, time_s: float) -> str:
    """An instant from the beginning of the scenario, and from the fault that is closest to it."""
    since_s = time_s - history.began_s
    if since_s < 0:
        return f"{-since_s:.3f} s before the scenario began"
    place = f"{since_s:.3f} s into the scenario"
    relation = _relation(history, time_s)
    return f"{place}, {relation}" if relation else place


def _relation(history: History, time_s: float) -> str:
    """How an instant lies to the fault in force then, or to the last one, or to the first."""
    begun = [each for each in history.faults if each.injected_s <= time_s]
    if not begun:
        first = min(history.faults, key=lambda each: each.injected_s, default=None)
        if first is None:
            return ""
        return f"{_gap(first.injected_s - time_s)} before {fault_name(first)}"
    lasting = [each for each in begun if each.healed_s is None or time_s < each.healed_s]
    fault = max(lasting or begun, key=lambda each: each.injected_s)
    name = fault_name(fault)
    if fault.healed_s is not None and time_s >= fault.healed_s:
        return f"{_gap(time_s - fault.healed_s)} after the healing of {name} began"
    if fault.effect_s is not None and time_s >= fault.effect_s:
        return f"{_gap(time_s - fault.effect_s)} after the effect of {name} was shown"
    known = ", before its effect was shown"
    if fault.effect_s is None:
        known = "; its effect was never shown"
    return f"{_gap(time_s - fault.injected_s)} after {name} was injected{known}"


def _gap(length_s: float) -> str:
    return seconds(round(length_s, 3))


def _how_many(history: History, requests: Sequence[Request]) -> str:
    """How many requests of the scenario ended like those that are named."""
    every = plural(len(history.requests), "request")
    if any(each.status != 0 for each in requests):
        lost = history.requests[failed(history.requests)]
        codes = Counter(lost["status"].tolist()).most_common()
        told = ", ".join(f"{count:,} {status_word(code)}" for code, count in codes[:_CODES])
        told += f", and {len(codes) - _CODES} other codes" if len(codes) > _CODES else ""
        last_s = float(lost["sent_s"].max()) - history.began_s
        return (
            f"Of {every} in the whole scenario {len(lost):,} failed ({told}), "
            f"the last of them sent at {last_s:.3f} s."
        )
    if any(each.wrong for each in requests):
        return f"Of {every} {int(wrong(history.requests).sum()):,} were answered wrongly."
    took_s = sorted(each.latency_s for each in requests)
    if len(took_s) == 1:
        return f"The one that is named was answered after {milliseconds(took_s[0])}."
    return (
        f"The {len(took_s)} that are named were answered, after {milliseconds(took_s[0])} to "
        f"{milliseconds(took_s[-1])}."
    )


def _where(requests: Sequence[Request]) -> str:
    """Which replicas had to do with the requests that are named."""
    failing = [made for each in requests for made in each.attempts if made.status != 0]
    met = Counter(name for made in failing for name in made.replicas)
    none_left = sum(made.none_left for made in failing)
    kept_back = sum(made.kept_back for made in failing)
    said = []
    if met:
        said.append(f"Of their attempts those that failed had been sent to {_listed(met)}.")
    elif not failing and (answered := Counter(n for each in requests for n in each.replicas)):
        said.append(f"They were answered by, or sent to, {_listed(answered)}.")
    if none_left:
        said.append(f"For {plural(none_left, 'attempt')} the balancer had no replica left.")
    if kept_back:
        said.append(f"The balancer did not send on {plural(kept_back, 'attempt')} of theirs.")
    unknown = "No answer and no line of the balancer's log says which replica they met."
    return " ".join(said) or unknown


def _told(requests: Sequence[Request]) -> str:
    """What those attempts were told that failed."""
    made = (made for each in requests for made in each.attempts)
    told = Counter(f"“{each.detail}”" for each in made if each.detail)
    return f"The status messages were {_listed(told)}." if told else ""


def _listed(counts: Counter[str]) -> str:
    """Names with their counts, the most frequent first."""
    told = [f"{name} ({count:,})" for name, count in counts.most_common(_NAMES)]
    if len(counts) > _NAMES:
        told.append(f"{len(counts) - _NAMES} more")
    return " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else told[0]


def _instant(verdict: Verdict, history: History) -> str:
    """The first instant of its evidence. A verdict on the whole run counts from another begin."""
    if verdict.scope == "run":
        return ""
    found = (match for line in verdict.evidence for match in _INSTANT.findall(line))
    first = next(found, None)
    if first is None:
        return ""
    return f"The first evidence is from {_when(history, history.began_s + float(first))}."


def _named(verdict: Verdict, fleet: Mapping[str, Life]) -> str:
    concerned = names(verdict, fleet)
    return f"It is about {', '.join(concerned)}." if concerned else ""


def _in_force(history: History) -> str:
    """The faults of the scenario and when each was in force."""
    if not history.faults:
        return "No fault was injected in this scenario."
    told = [f"{fault_name(each)} {_span(each, history)}" for each in history.faults[:_FAULTS]]
    more = len(history.faults) - len(told)
    return f"In force: {'; '.join(told)}{f'; and {more} more' if more else ''}."


def _span(fault: FaultRecord, history: History) -> str:
    since = f"from {fault.injected_s - history.began_s:.3f} s"
    if fault.healed_s is None:
        return f"{since} on"
    return f"{since} to {fault.healed_s - history.began_s:.3f} s"
