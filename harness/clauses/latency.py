"""Latency: the service's own promise of how soon it answers."""

from harness.clauses._load import answered, offered, p99_ms
from harness.clauses._wording import at, cite, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.history import History, Window

_JUDGED = ("steady", "observe", "offered")
_FULL = 1.0


@clause("L1", "The service answers within the latency that it promises", needs_load=True)
def answers_in_time(history: History, limits: Limits) -> Finding:
    """The p99 of OK answers, from the intended send, in the slowest window of the scenario.

    Who answers hardly anyone is quick: so nearly all requests of each window have to be answered.
    """
    promised = limits.latency_p99_ms
    windows = _windows(history)
    if not windows:
        reason = f"no window of {', '.join(_JUDGED)} was recorded below capacity, but for outages"
        return missing(promised, "ms", reason)
    judged, thin, lossy = [], [], []
    for window in windows:
        requests = history.requests_in(window)
        well = answered(requests)
        where = f"{window.name} from {at(history, window.began_s)}"
        share = len(well) / len(requests) if len(requests) else 0.0
        if len(requests) >= limits.answers_needed and share < limits.answered_share:
            lossy.append((share, where, requests))
        elif len(well) < limits.answers_needed:
            thin.append(f"{where}: {count(len(well), 'OK answer')}, too few to judge")
        else:
            p99 = p99_ms(well)
            told = f"99 % of {count(len(well), 'OK answer')} took at most {p99:.1f} ms"
            judged.append((p99, f"{where}: {told}"))
    if lossy:
        share, where, requests = min(lossy, key=lambda each: each[:2])
        lost = requests[requests["status"] != 0]
        sentence = f"{where}: {len(lost):,} of {count(len(requests), 'request')} failed"
        kept, cited = limits.answered_share, cite(history, lost)
        return Finding(False, kept, round(share, 5), "answered", sentence, cited, ">=")
    if not judged:
        reason = f"no window had {limits.answers_needed} OK answers, of which to take a p99"
        return missing(promised, "ms", reason, thin)
    ranked = sorted(judged, reverse=True)
    worst, told = ranked[0]
    left_out = f"; {count(len(thin), 'window')} with too few answers left out" if thin else ""
    sentence = f"in the slowest of {count(len(judged), 'window')}, {told}{left_out}"
    evidence = few([line for _, line in ranked] + thin)
    return Finding(worst <= promised, promised, round(worst, 3), "ms", sentence, evidence)


def _windows(history: History) -> list[Window]:
    """Those in which nothing but an answer in time will do, in order of time.

    Nothing can be answered in an outage, nor all at capacity and above: others judge those.
    """
    full = [each.window for each in offered(history) if each.factor >= _FULL]
    found = [window for kind in _JUDGED for window in history.windows_of(kind)]
    judged = [each for each in found if each.name != "outage" and each not in full]
    return sorted(judged, key=lambda each: (each.began_s, each.name))
