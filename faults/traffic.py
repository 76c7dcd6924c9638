"""Faults of traffic: more of it, callers who never give up, callers who never read.

What the targets suffer comes from load generators of our own, so it ends with this process; nothing
is left for an undo journal.
"""

import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.errors import FaultError
from harness.fault import Check, Stages, between, fault, shown
from harness.limits import Within, limited
from harness.load.offering import Offering
from harness.load.plan import Plan, RetryPolicy
from harness.load.process import LoadProcess
from harness.load.slow_readers import SlowReaders
from harness.platform import Target

_NEAR = 0.2  # a rate is seen to be offered when it is measured within 20 % of it
_SIGMAS = 4.0  # between a rate and the bounds of another, for a Poisson schedule


@limited(rate_rps=Within(0.1, 100_000, "rps"))
@fault
def surge(load: Offering, rate_rps: float) -> Stages:
    """The load offers ``rate_rps`` instead of what it offered, at once, and then that again.

    Shown by what its generator really sent, as counted in its own reports.
    """
    before_rps = load.rate_rps
    if rate_rps == before_rps:
        raise FaultError(f"surge: expected another rate than {before_rps:g} rps, which is offered")
    load.set_rate(rate_rps)
    yield _offers(load, rate_rps, before_rps)
    load.set_rate(before_rps)
    yield _offers(load, before_rps, rate_rps)


def _offers(load: Offering, rate_rps: float, not_rps: float) -> Check:
    """Counted over a time in which the other rate would hardly ever be taken for this one.

    Bounds are at most half way to the other rate, and half way is ``_SIGMAS`` standard deviations
    of what a Poisson schedule sends in that time.
    """
    apart, most = abs(rate_rps - not_rps), max(rate_rps, not_rps)
    least_s = most * (2 * _SIGMAS / apart) ** 2
    near = min(_NEAR * rate_rps, apart / 2)
    return between(
        f"rate that {load.name} really sends at",
        _rate_from_now_on(load, least_s),
        rate_rps - near,
        rate_rps + near,
        "rps",
        within_s=10.0 + 2 * least_s,
    )


def _rate_from_now_on(load: Offering, least_s: float) -> Callable[[], float]:
    """Requests a second between the first report from now on and the last one."""
    asked_s, _ = load.sent()
    began: list[tuple[float, int]] = []

    def rate_rps() -> float:
        now_s, sent = load.sent()
        if not began and now_s > asked_s:
            began.append((now_s, sent))
        if not began or now_s < began[0][0] + least_s:
            return math.nan  # within no bounds: it is too early to tell
        return (sent - began[0][1]) / (now_s - began[0][0])

    return rate_rps


@limited(attempts=Within(2, 100), patience_ms=Within(1, 60_000, "ms"))
@fault
def retry_storm(
    balancer: Target, callers: Plan, attempts: int = 5, patience_ms: float = 1.0
) -> Stages:
    """Further callers who give up each attempt after ``patience_ms`` and try again at once.

    Without a back-off and without a budget: ``attempts`` for each call that is not answered in
    time, within the plan's deadline. The plan's id prefix has to be their own.
    """
    storming = replace(callers, retry=_storm(attempts, patience_ms / 1e3))
    with (
        tempfile.TemporaryDirectory(prefix="mayfly-storm-") as folder,
        LoadProcess.spawn(storming, Path(folder)) as storm,
    ):
        storm.begin()
        least = 1 + (attempts - 1) / 2
        yield between(
            f"attempts for each call to {balancer.name}",
            lambda: _attempts_per_call(storm),
            least,
            float(attempts),
            "attempts",
        )
        storm.stop()
        yield shown(
            f"the callers who stormed {balancer.name} are gone",
            lambda: not storm.is_running(),
        )


def _storm(attempts: int, patience_s: float) -> RetryPolicy:
    return RetryPolicy(
        attempts=attempts,
        codes=("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"),
        initial_backoff_s=0.0,
        max_backoff_s=0.0,
        attempt_timeout_s=patience_s,
        budget_ratio=float(attempts),
    )


def _attempts_per_call(storm: LoadProcess) -> float:
    """Of the calls that have ended; those in flight have had some of their attempts, too."""
    progress = storm.progress()
    return (progress.sent + progress.retries) / progress.sent if progress.sent else math.nan


@limited(connections=Within(1, 1000), streams=Within(1, 100))
@fault
def slow_readers(
    balancer: Target, callers: Plan, connections: int = 10, streams: int = 10
) -> Stages:
    """Callers who open calls and never read the answers, ``streams`` on each connection.

    Shown by their answers' headers, which came, and their messages, which may not; healed when the
    other side has let go of each connection. The plan's id prefix has to be their own.
    """
    many = connections * streams
    with SlowReaders(callers, connections, streams) as readers:
        readers.open()
        yield between(
            f"answers that {balancer.name} holds for callers who do not read",
            lambda: float(readers.held()),
            many,
            many,
            "streams",
        )
        readers.leave()
        yield between(
            f"connections of theirs that {balancer.name} still keeps",
            lambda: float(readers.connected()),
            0,
            0,
            "connections",
        )
