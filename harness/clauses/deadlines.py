"""Deadlines: work that nobody waits for any more is not done."""

from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.history import Event, History


@clause("N5", "A deadline reaches the work: what has expired is not begun, and blocks nobody")
def deadlines_reach_work(history: History, limits: Limits) -> Finding:
    """A fresh call after expired ones: its latency in service times, and what was run in vain."""
    promised, unit = limits.fresh_service_times, "service times"
    tried = list(history.during("deadline.tried"))
    fair = [each for each in tried if _is_fair(each, limits)]
    if not fair:
        reason = (
            f"in none of {count(len(tried), 'trial')} did {limits.expired_needed} calls expire on "
            "a deadline below the service time"
            if tried
            else "no call was left to expire"
        )
        return missing(promised, unit, reason, (_told(each, history) for each in tried))
    evidence = few(_told(each, history) for each in fair)
    executed = [each.details.get("executed") for each in fair]
    vain = sum(int(number) for number in executed if number is not None)
    if vain:
        expired = sum(_number(each, "expired") for each in fair)
        sentence = f"{vain} of {expired:.0f} calls were run after they had expired"
        return Finding(False, 0, vain, "executions", sentence, evidence)
    worst = max(fair, key=_service_times)
    measured = round(_service_times(worst), 3)
    sentence = (
        f"the fresh call took {_number(worst, 'fresh_ms'):.1f} ms, {measured:.2f} service times, "
        f"behind {_number(worst, 'expired'):.0f} expired ones"
    )
    if measured <= promised and None in executed:
        reason = f"{sentence}, but the record store does not show whether those were run"
        return missing(promised, unit, reason, evidence)
    if measured <= promised:
        sentence += ", of which none was run"
    return Finding(measured <= promised, promised, measured, unit, sentence, evidence)


def _is_fair(tried: Event, limits: Limits) -> bool:
    """Whether enough calls expired, on a deadline within which none could have been served."""
    service_ms = _number(tried, "service_time_ms")
    enough = _number(tried, "expired") >= limits.expired_needed and _number(tried, "fresh_ms") > 0
    return enough and 0 < _number(tried, "deadline_ms") < service_ms


def _service_times(tried: Event) -> float:
    return _number(tried, "fresh_ms") / _number(tried, "service_time_ms")


def _number(tried: Event, key: str) -> float:
    return float(tried.details.get(key) or 0.0)


def _told(tried: Event, history: History) -> str:
    executed = tried.details.get("executed")
    return (
        f"{at(history, tried.time_s)}: {_number(tried, 'expired'):.0f} calls expired after "
        f"{_number(tried, 'deadline_ms'):.1f} ms of a service time of "
        f"{_number(tried, 'service_time_ms'):.1f} ms, "
        f"{'an unknown number' if executed is None else executed} run; fresh call "
        f"{_number(tried, 'fresh_ms'):.1f} ms"
    )
