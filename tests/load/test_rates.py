"""A rate that changes over time: as planned by a profile, and as told to a running generator."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.errors import LoadError
from harness.load import Loaded
from harness.load.plan import Plan, RetryPolicy
from harness.load.process import LoadProcess
from harness.load.profile import Profile
from harness.load.schedule import Timetable
from harness.tables import CORRECT
from tests.load.offering import until
from tests.load.serving import Served

Plans = Callable[..., Plan]
UNAVAILABLE = 14
LAG_MS = 100.0  # far above what is usual (0.3), far below what a forgotten schedule would show

pytestmark = pytest.mark.usefixtures("server")


def intended(loaded: Loaded, began_s: float, profile: Profile, plan: Plan) -> None:
    """Assert that every request was intended when the schedule under this profile wants it."""
    table = Timetable(plan.schedule, profile, plan.seed)
    expected = [table.next_s]
    while len(expected) < len(loaded.requests):
        expected.append(table.advance())
    np.testing.assert_allclose(loaded.requests["intended_s"] - began_s, expected, atol=1e-6)


@pytest.mark.parametrize("schedule", ["constant", "poisson"])
def test_a_profile_is_followed(plan: Plans, tmp_path: Path, schedule: str) -> None:
    """Requests are intended at the very instants of the profile, and sent in time."""
    here = plan(
        rate_rps=50.0,
        schedule=schedule,
        profile=((0.0, 50.0), (0.3, 50.0), (0.3, 400.0), (0.6, 400.0), (0.8, 100.0)),
    )
    with LoadProcess.spawn(here, tmp_path) as load:
        began_s = load.begin()
        until(load, lambda progress: progress.at_s > began_s + 1.2)
        loaded = load.stop()

    assert loaded.generator.planned == loaded.generator.sent == len(loaded.requests)
    assert loaded.generator.profile == here.profile
    intended(loaded, began_s, here.offered, here)
    assert loaded.generator.lag_p99_ms < LAG_MS


@pytest.mark.parametrize("schedule", ["constant", "poisson"])
def test_a_running_load_takes_a_new_rate(plan: Plans, tmp_path: Path, schedule: str) -> None:
    """It holds within 50 ms, its instant is recorded, and the schedule follows it exactly."""
    here = plan(rate_rps=50.0, schedule=schedule)
    with LoadProcess.spawn(here, tmp_path) as load:
        began_s = load.begin()
        until(load, lambda progress: progress.sent >= 20)
        asked_s = time.monotonic()
        up_s = load.set_rate(500.0)
        assert load.rate_rps == 500.0
        before = load.progress().sent
        until(load, lambda progress: progress.sent >= before + 200)
        down_s = load.set_rate(0.0)
        until(load, lambda progress: progress.at_s > down_s + 0.5)
        again_s = load.set_rate(100.0)
        until(load, lambda progress: progress.at_s > again_s + 0.3)
        loaded = load.stop()

    assert asked_s <= up_s < asked_s + 0.05
    told = [(change.at_s, change.rate_rps) for change in loaded.generator.rate_changes]
    assert told == [(up_s, 500.0), (down_s, 0.0), (again_s, 100.0)]
    at_s = loaded.requests["intended_s"]
    assert not np.any((at_s > down_s) & (at_s < again_s))
    profile = here.offered
    for instant_s, rate_rps in told:
        profile = profile.changed(instant_s - began_s, rate_rps)
    intended(loaded, began_s, profile, here)
    assert loaded.generator.planned == loaded.generator.sent == len(loaded.requests)
    assert loaded.generator.lag_p99_ms < LAG_MS


def test_a_rate_needs_a_running_load(plan: Plans, tmp_path: Path) -> None:
    """Before begin, and for what is no rate, the error says what to do; nothing is changed."""
    with LoadProcess.spawn(plan(), tmp_path) as load:
        with pytest.raises(LoadError, match="call begin"):
            load.set_rate(10.0)
        load.begin()
        with pytest.raises(LoadError, match="expected a rate"):
            load.set_rate(-1.0)
        loaded = load.stop()

    assert loaded.generator.rate_changes == ()


def test_two_loads_run_side_by_side(plan: Plans, server: Served, tmp_path: Path) -> None:
    """Each keeps its own ids, deadline and rate; a new rate for one leaves the other alone."""
    calm = plan(rate_rps=100.0, id_prefix="calm-")
    hasty = plan(rate_rps=50.0, id_prefix="hasty-", deadline_s=0.05)
    with (
        LoadProcess.spawn(calm, tmp_path / "calm") as one,
        LoadProcess.spawn(hasty, tmp_path / "hasty") as other,
    ):
        one.begin()
        other.begin()
        until(one, lambda progress: progress.done >= 30)
        other.set_rate(200.0)
        until(other, lambda progress: progress.done >= 60)
        server.behave("silent")
        until(other, lambda progress: progress.failed >= 10)
        server.behave("golden")
        calm_rows, hasty_rows = one.stop(), other.stop()

    assert calm_rows.generator.rate_changes == ()
    assert {row[:5] for row in calm_rows.requests["id"]} == {b"calm-"}
    assert {row[:6] for row in hasty_rows.requests["id"]} == {b"hasty-"}
    late = hasty_rows.requests[hasty_rows.requests["status"] == 4]
    took_s = late["done_s"] - late["sent_s"]
    assert len(late) >= 10
    assert took_s.min() >= 0.049
    assert took_s.max() < 1.0  # not the other one's 2 s
    assert (calm_rows.requests["correct"] == CORRECT).sum() >= 30


def test_an_outage_is_no_storm(plan: Plans, server: Served, tmp_path: Path) -> None:
    """While the server answers UNAVAILABLE, it sees at most 1.2 attempts a call from 1 s on."""
    slow = plan(rate_rps=50.0, id_prefix="slow-", schedule="poisson")
    fast = plan(rate_rps=400.0, id_prefix="fast-", schedule="poisson")
    with (
        LoadProcess.spawn(slow, tmp_path / "slow") as one,
        LoadProcess.spawn(fast, tmp_path / "fast") as other,
    ):
        one.begin()
        other.begin()
        until(other, lambda progress: progress.done >= 800)  # something is saved up
        server.behave("unavailable")
        down_s = time.monotonic()
        storm = until(other, lambda progress: progress.at_s > down_s + 1.0)
        began = server.count()
        until(other, lambda progress: progress.at_s > storm.at_s + 3.0)
        ended = server.count()
        loads = [one.stop(), other.stop()]

    calls, attempts = (after - before for after, before in zip(ended, began, strict=True))
    assert calls > 1000
    assert attempts / calls <= 1.2
    for loaded in loads:
        rows = loaded.attempts[loaded.attempts["sent_s"] > down_s + 1.0]
        assert len(rows) / (rows["number"] == 1).sum() <= 1.2
        assert (rows["number"] > 1).sum() > 0  # callers do try again
        assert loaded.generator.retries_refused > 0


def test_impatient_callers_give_up_attempts(plan: Plans, server: Served, tmp_path: Path) -> None:
    """An attempt ends after its own time-out, and the next one follows within the one deadline."""
    server.behave("silent")
    impatient = RetryPolicy(
        attempts=4,
        codes=("DEADLINE_EXCEEDED",),
        initial_backoff_s=0.0,
        max_backoff_s=0.0,
        budget_ratio=4.0,
        attempt_timeout_s=0.02,
    )
    with LoadProcess.spawn(plan(rate_rps=20.0, retry=impatient), tmp_path) as load:
        load.begin()
        until(load, lambda progress: progress.done >= 10)
        loaded = load.stop()

    assert set(loaded.requests["attempts"]) == {4}
    took_s = loaded.attempts["done_s"] - loaded.attempts["sent_s"]
    assert took_s.min() >= 0.019
    assert np.median(took_s) < 0.1
