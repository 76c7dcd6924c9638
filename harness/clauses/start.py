"""Starts: that they take a bounded, known time, and that each brings up the same model."""

from collections.abc import Mapping

import numpy as np

from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives, was_replaced
from harness.history import History

_STOPPED_ON_REQUEST = (0, 143)


@clause(
    "S2",
    "A start takes a bounded and known time, from the order to the first correct answer",
    needs_quiet=True,
)
def bounded_start(history: History, limits: Limits) -> Finding:
    """All starts of the run so far are judged, and each failed start breaks the promise."""
    by_name = lives(history.events)
    fleet = tuple(by_name.values())
    done = [life for life in fleet if life.first_correct_s is not None]
    excused = [
        life for life in fleet if life.first_correct_s is None and _excused(life, by_name, history)
    ]
    failed = [life for life in fleet if life not in excused and _failed(life, history, limits)]
    if failed:
        return _never_ready(failed, history, limits)
    bound_s = limits.start_budget_share * limits.start_budget_s
    if len(done) < limits.starts_needed:
        return missing(
            bound_s,
            "s",
            f"{count(len(done), 'start')} seen, {limits.starts_needed} needed",
        )
    took_s = np.array([life.cold_start_s for life in done])
    p50_s, p95_s = (float(value) for value in np.percentile(took_s, (50, 95)))
    beside = {life.name: _beside(life, done) for life in done}
    crowded = sum(1 for names in beside.values() if names)
    left_out = f"; {len(excused)} that ended before they were ready left out" if excused else ""
    return Finding(
        held=p95_s <= bound_s and p95_s <= limits.start_spread * p50_s,
        # Both bounds are bounds on the 95th percentile: the tighter one decides.
        promised=round(min(bound_s, limits.start_spread * p50_s), 3),
        measured=round(p95_s, 3),
        unit="s",
        sentence=(
            f"{count(len(done), 'start')}: half took at most {p50_s:.2f} s, 95 % at most "
            f"{p95_s:.2f} s, {p95_s / p50_s:.2f} times as long; {crowded} ran side by side "
            f"with another{left_out}"
        ),
        evidence=_slowest(done, beside, history),
    )


@clause("S8", "Every start brings up the same model, wherever it runs")
def deterministic_start(history: History, limits: Limits) -> Finding:
    """One digest over all starts, and golden outputs that agree within the tolerance."""
    fleet = lives(history.events).values()
    done = [life for life in fleet if life.first_correct_s is not None]
    promised = limits.golden_tolerance
    digests: dict[str, list[Life]] = {}
    for life in done:
        if life.digest:
            digests.setdefault(life.digest, []).append(life)
    differences = [life.golden_difference for life in done if life.golden_difference is not None]
    worst = max(differences, default=0.0)
    evidence = few(_brought_up(life, history) for life in done)
    wrong = [life for life in fleet if life.examination_failed is not None and life.died_s is None]
    if wrong:
        told = "; ".join(f"{life.name}: {life.examination_failed}" for life in wrong)
        return Finding(False, 0, len(wrong), "starts", told, evidence)
    if len(digests) > 1:
        told = " and ".join(f"{digest} on {same[0].name}" for digest, same in digests.items())
        sentence = f"{len(digests)} digests in {count(len(done), 'start')}: {told}"
        return Finding(False, 1, len(digests), "digests", sentence, evidence, "==")
    if worst > promised:
        far = max(done, key=lambda life: life.golden_difference or 0.0)
        sentence = f"{far.name} is {worst:.3g} away from the golden outputs at its first answer"
        return Finding(False, promised, worst, "difference", sentence, evidence)
    lacking = _lacking(done, differences, limits)
    if lacking:
        return missing(promised, "difference", lacking, evidence)
    sentence = (
        f"{count(len(done), 'start')} on {len({life.hostname for life in done})} hosts and "
        f"{len({life.address for life in done})} addresses brought up digest "
        f"{next(iter(digests))}, at most {worst:.3g} away from the golden outputs"
    )
    return Finding(True, promised, worst, "difference", sentence, evidence)


def _lacking(done: list[Life], differences: list[float], limits: Limits) -> str | None:
    """What the starts do not show, or None if they show enough."""
    hosts = {life.hostname for life in done if life.hostname}
    addresses = {life.address for life in done if life.address}
    if len(hosts) < limits.golden_starts_needed or len(addresses) < 2:
        return (
            f"{count(len(done), 'start')} on {count(len(hosts), 'hostname')} and "
            f"{len(addresses)} addresses; {limits.golden_starts_needed} hostnames and different "
            "addresses are needed"
        )
    silent = [life.name for life in done if not life.digest]
    if silent:
        return f"no digest was told at the start of {', '.join(silent)}"
    if len(differences) < len(done):
        return (
            f"{len(done) - len(differences)} of {len(done)} starts were not held to golden outputs"
        )
    return None


def _excused(life: Life, fleet: Mapping[str, Life], history: History) -> bool:
    """Whether an end before the first correct answer says nothing about the start itself."""
    if life.died_s is None:
        return False
    killed = any(
        life.name in fault.targets and fault.injected_s <= life.died_s for fault in history.faults
    )
    # The faults of earlier scenarios are not in this history, so its own span is what counts.
    on_request = life.exit_code in _STOPPED_ON_REQUEST and not was_replaced(life, fleet)
    return killed or on_request or life.died_s < history.began_s


def _failed(life: Life, history: History, limits: Limits) -> bool:
    if life.first_correct_s is not None:
        return False
    if life.examination_failed is not None and life.died_s is None:
        return True  # it said that it was ready, and its first golden answers were no good
    return life.died_s is not None or history.ended_s - life.ordered_s > limits.start_budget_s


def _never_ready(failed: list[Life], history: History, limits: Limits) -> Finding:
    waited_s = [(life.died_s or history.ended_s) - life.ordered_s for life in failed]
    evidence = few(
        f"{life.name}: ordered at {at(history, life.ordered_s)}, "
        + ("still not correct at the end" if life.died_s is None else _end(life, history))
        for life in failed
    )
    names = ", ".join(life.name for life in failed)
    return Finding(
        False,
        0,
        len(failed),
        "failed starts",
        f"{names} never gave a correct answer, after up to {max(waited_s):.1f} s of a budget of "
        f"{limits.start_budget_s:g} s",
        evidence,
    )


def _end(life: Life, history: History) -> str:
    assert life.died_s is not None
    return f"died by itself at {at(history, life.died_s)} with exit code {life.exit_code}"


def _beside(life: Life, others: list[Life]) -> tuple[str, ...]:
    """The starts that ran at the same time as this one."""
    assert life.first_correct_s is not None
    return tuple(
        other.name
        for other in others
        if other is not life
        and other.first_correct_s is not None
        and other.ordered_s < life.first_correct_s
        and life.ordered_s < other.first_correct_s
    )


def _slowest(
    done: list[Life], beside: dict[str, tuple[str, ...]], history: History
) -> tuple[str, ...]:
    ranked = sorted(done, key=lambda life: (-(life.cold_start_s or 0.0), life.name))
    return tuple(
        f"{life.name}: {life.cold_start_s:.3f} s, ordered at {at(history, life.ordered_s)}"
        + (f", beside {', '.join(beside[life.name])}" if beside[life.name] else ", alone")
        for life in ranked[:4]
    )


def _brought_up(life: Life, history: History) -> str:
    assert life.first_correct_s is not None
    return (
        f"{life.name} on {life.hostname} at {life.address}: digest {life.digest}, difference "
        f"{life.golden_difference}, at {at(history, life.first_correct_s)}"
    )
