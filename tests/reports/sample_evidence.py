"""A made-up kill that broke a clause, with all that is known of the requests that it cost."""

from dataclasses import replace

import numpy as np

from harness.contract import Verdict
from harness.run import Scenario
from harness.tables import ACCESS, ATTEMPT, table, text
from tests.reports.sample import KILL_S, kill_scenario, verdict

BEGAN_S = 100.0
VICTIM, OTHER = "10.0.0.1:9000", "10.0.0.2:9000"
"""Addresses of replica-2, which is killed, and of replica-3."""


def lost_ids(scenario: Scenario) -> list[str]:
    """The requests that failed, in the order in which they were sent."""
    requests = scenario.history.requests
    return [text(id_) for id_ in requests["id"][requests["status"] != 0]]


def broken_scenario(*more: Verdict) -> Scenario:
    """The first two lost requests were tried twice, first at the victim, then at replica-3."""
    scenario = kill_scenario(2000, began_s=BEGAN_S)
    first, second = lost_ids(scenario)[:2]
    broken = verdict(
        "T5",
        "broken",
        len(lost_ids(scenario)),
        0,
        unit="requests",
        statement="A killed replica costs no request.",
        sentence="some requests failed",
        evidence=(
            f"request {first}: UNAVAILABLE from nobody, sent at +15.100 s, is not in the store",
            f"request {second}: UNAVAILABLE from nobody, sent at +15.200 s",
            "replica-2 was killed at +15.000 s with 2 requests in flight",
            "and 7 more",
        ),
    )
    return with_tries(replace(scenario, verdicts=(broken, *more)), (first, second))


def with_tries(scenario: Scenario, ids: tuple[str, ...]) -> Scenario:
    """The scenario with two tries of each of these requests, 2 ms and 9 ms long."""
    requests = scenario.history.requests
    began_s = dict(zip(map(text, requests["id"]), requests["sent_s"].tolist(), strict=True))
    attempts, access = [], []
    for id_ in ids:
        sent_s = began_s[id_]
        attempts.append((id_.encode(), 2, sent_s + 0.01, sent_s + 0.019, 4, b""))
        attempts.append((id_.encode(), 1, sent_s, sent_s + 0.002, 14, b"connection refused"))
        for number, address, took_s in ((1, VICTIM, 0.002), (2, f"{VICTIM}, {OTHER}", 0.009)):
            done_s = sent_s + took_s
            row = (id_, number, done_s, took_s, 502, -1, address, "502", np.nan)
            access.append(tuple(v.encode() if isinstance(v, str) else v for v in row))
    history = replace(
        scenario.history, attempts=table(ATTEMPT, attempts), access=table(ACCESS, access)
    )
    return replace(scenario, history=history)


def after_kill_s(time_s: float) -> float:
    """An instant of the machine's clock as seconds since the kill took effect."""
    return time_s - BEGAN_S - KILL_S - 0.02
