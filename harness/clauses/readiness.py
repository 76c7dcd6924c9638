"""Liveness and readiness: what the health surfaces say, and whether they agree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.clauses._probes import (
    LIVENESS,
    READINESS,
    Round,
    is_own_word,
    liveness,
    rounds,
    said,
    seen_in_faults,
)
from harness.clauses._recovery import sent_away
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import Event, History


@clause("R1", "A running replica is always live, whatever happens to what it depends on")
def always_live(history: History, limits: Limits) -> Finding:
    """Every liveness answer of a living replica is true, and no replica dies but by a fault."""
    fleet = lives(history.events)
    restarted = [life for life in fleet.values() if _died_unbidden(life, fleet, history)]
    if restarted:
        evidence = few(
            f"{life.name} died at {at(history, life.died_s or 0.0)} with exit code {life.exit_code}"
            for life in restarted
        )
        names = ", ".join(life.name for life in restarted)
        sentence = f"{names} died, and no fault was aimed at {_it(len(restarted))}"
        return Finding(False, 0, len(restarted), "deaths", sentence, evidence)
    probes = liveness(history, fleet)
    false = [probe for probe in probes if probe.details.get("answer") is not True]
    live = len(probes) - len(false)
    if not false:
        lacking = _unwatched(history, probes, limits)
        if lacking:
            return missing(100.0, "% live", lacking)
    surfaces = " and ".join(sorted({str(probe.details["surface"]) for probe in probes}))
    return Finding(
        held=not false,
        promised=100.0,
        measured=100.0 * live / len(probes),
        unit="% live",
        sentence=(
            f"{live:,} of {len(probes):,} answers of {surfaces} were true, and no replica "
            "died but by a fault"
        ),
        evidence=few(said(probe, history) for probe in false),
        comparison="==",
    )


@clause("R3", "ServerReady, ModelReady and the health service say the same")
def surfaces_agree(history: History, limits: Limits) -> Finding:
    """They may differ for a moment, while one of them flips, but not for longer."""
    promised = limits.disagreement_s
    probes = [
        event
        for event in history.during("probe")
        if event.details["surface"] in READINESS and is_own_word(event)
    ]
    offered = {
        str(e.details["surface"]) for e in probes if e.details.get("code") != "UNIMPLEMENTED"
    }
    silent = [surface for surface in READINESS if surface not in offered]
    unoffered = f"; not offered: {', '.join(silent)}" if silent else ""
    if len(offered) < 2:
        return missing(promised, "s", f"fewer than two surfaces answered{unoffered}")
    sampled = rounds(e for e in probes if e.details["surface"] in offered)
    spans = sorted(_disagreements(sampled), key=lambda span: (-span.lasted_s, span.began_s))
    longest_s = spans[0].lasted_s if spans else 0.0
    compared = sum(len(each) for each in sampled.values())
    held = longest_s <= promised
    if held and (compared < limits.probes_needed or not seen_in_faults(history, probes)):
        return missing(
            promised, "s", f"only {count(compared, 'round')} of probes, or none during a fault"
        )
    agree = f"{', '.join(s for s in READINESS if s in offered)} in {count(compared, 'round')}"
    return Finding(
        held,
        promised,
        round(longest_s, 3),
        "s",
        f"the longest disagreement between {agree} lasted {longest_s:.2f} s{unoffered}",
        few(f"{span.replica} from {at(history, span.began_s)}: {span.told}" for span in spans),
    )


@dataclass(frozen=True, slots=True)
class _Disagreement:
    replica: str
    began_s: float
    lasted_s: float  # between the first and the last round that show it
    told: str


def _disagreements(rounds_of: Mapping[str, list[Round]]) -> Iterable[_Disagreement]:
    for replica, sampled in rounds_of.items():
        first: Round | None = None
        for each, following in zip(sampled, [*sampled[1:], None], strict=True):
            if each.agreed:
                continue
            first = first or each
            if following is None or following.agreed:
                told = ", ".join(f"{key} {value}" for key, value in first.answers.items())
                yield _Disagreement(replica, first.time_s, each.time_s - first.time_s, told)
                first = None


def _died_unbidden(life: Life, fleet: Mapping[str, Life], history: History) -> bool:
    """Whether a replica died in the scenario without being a fault's target or scaled down."""
    died_s = life.died_s
    if died_s is None or not history.began_s <= died_s <= history.ended_s:
        return False
    if any(life.name in f.targets and f.injected_s <= died_s for f in history.faults):
        return False
    return not sent_away(life, died_s, fleet)


def _unwatched(history: History, probes: list[Event], limits: Limits) -> str | None:
    if len(probes) < limits.probes_needed:
        asked = " and ".join(LIVENESS)
        return (
            f"{count(len(probes), 'answer')} of {asked} from living replicas, "
            f"{limits.probes_needed} needed"
        )
    if not seen_in_faults(history, probes):
        return "no living replica was asked whether it is live while a fault was in force"
    return None


def _it(number: int) -> str:
    return "it" if number == 1 else "them"
