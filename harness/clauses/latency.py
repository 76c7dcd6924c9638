"""Latency: the service's own promise of how soon it answers."""

from harness.clauses._load import answered, p99_ms
from harness.clauses._wording import at, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.history import History

_JUDGED = ("steady", "observe", "offered")


@clause("L1", "The service answers within the latency that it promises", needs_load=True)
def answers_in_time(history: History, limits: Limits) -> Finding:
    """The p99 of OK answers, from the intended send, in the slowest window of the scenario."""
    promised = limits.latency_p99_ms
    windows = [window for kind in _JUDGED for window in history.windows_of(kind)]
    if not windows:
        return missing(promised, "ms", f"no window of {', '.join(_JUDGED)} was recorded")
    judged, thin = [], []
    for window in sorted(windows, key=lambda each: (each.began_s, each.name)):
        requests = answered(history.requests_in(window))
        where = f"{window.name} from {at(history, window.began_s)}"
        if len(requests) < limits.answers_needed:
            thin.append(f"{where}: {count(len(requests), 'OK answer')}, too few to judge")
            continue
        p99 = p99_ms(requests)
        told = f"99 % of {count(len(requests), 'OK answer')} took at most {p99:.1f} ms"
        judged.append((p99, f"{where}: {told}"))
    if not judged:
        reason = f"no window had {limits.answers_needed} OK answers, of which to take a p99"
        return missing(promised, "ms", reason, thin)
    ranked = sorted(judged, reverse=True)
    worst, told = ranked[0]
    left_out = f"; {count(len(thin), 'window')} with too few answers left out" if thin else ""
    sentence = f"in the slowest of {count(len(judged), 'window')}, {told}{left_out}"
    evidence = few([line for _, line in ranked] + thin)
    return Finding(worst <= promised, promised, round(worst, 3), "ms", sentence, evidence)
