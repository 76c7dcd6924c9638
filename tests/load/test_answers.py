"""Answers and errors of a real gRPC server, as the generator judges, retries and records them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.load import Loaded
from harness.load.plan import Engine, Plan, RetryPolicy
from harness.load.process import LoadProcess
from harness.tables import CORRECT, NO_ANSWER, WRONG
from tests.load.offering import run, until
from tests.load.serving import Served

Plans = Callable[..., Plan]
UNAVAILABLE, INVALID, DEADLINE = 14, 3, 4


@pytest.fixture(scope="module")
def healthy_run(
    shared_server: Served, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> tuple[float, Loaded, Path]:
    """Offer 200 requests a second to a healthy server: when it began, what it left, and where."""
    directory = tmp_path_factory.mktemp("load")
    shared_server.behave("golden")
    golden = shared_server.golden
    address, model = shared_server.address, "model"
    plan = Plan(address, 200.0, "constant", 7, 2.0, "test-", golden, model, engine=engine)
    with LoadProcess.spawn(plan, directory) as load:
        began_s = load.begin()
        until(load, lambda progress: progress.done >= 100)
        return began_s, load.stop(), directory


def test_a_request_row_says_all_that_is_known(healthy_run: tuple[float, Loaded, Path]) -> None:
    """Ids count up, times are in order, cases go round, golden answers are marked as correct."""
    began_s, loaded, _ = healthy_run
    rows = loaded.requests

    assert [f"test-{n:07d}".encode() for n in range(len(rows))] == rows["id"].tolist()
    assert rows["intended_s"][0] == began_s
    assert bool(np.all(rows["intended_s"] <= rows["sent_s"]))
    assert bool(np.all(rows["sent_s"] < rows["done_s"]))
    assert np.diff(rows["intended_s"]) == pytest.approx(1 / 200)
    assert set(rows["golden"][:7]) == set(range(7))
    assert set(rows["correct"]) == {CORRECT}
    assert set(rows["replica"]) == {b"replica-1"}
    assert set(rows["version"]) == {b"3"}
    assert set(rows["digest"]) == {b"0123456789abcdef"}


def test_nothing_is_left_unsent_at_200_a_second(healthy_run: tuple[float, Loaded, Path]) -> None:
    """Every slot up to the stop is sent, and the lag's figures are in order."""
    generator = healthy_run[1].generator

    assert generator.planned == generator.sent >= 100
    assert 0 <= generator.lag_p50_ms <= generator.lag_p99_ms <= generator.lag_max_ms
    assert (generator.rate_rps, generator.schedule) == (200.0, "constant")


def test_files_stay_in_the_directory(healthy_run: tuple[float, Loaded, Path]) -> None:
    """Rows and stderr are all that a run leaves on disk, and stderr is empty."""
    directory = healthy_run[2]

    assert {each.name for each in directory.iterdir()} == {"load.npz", "load.stderr"}
    assert (directory / "load.stderr").read_text() == ""


@pytest.mark.parametrize(
    ("behaviour", "correct"),
    [("typed", CORRECT), ("wrong", WRONG), ("garbage", WRONG)],
)
def test_each_answer_is_judged(
    server: Served, plan: Plans, tmp_path: Path, behaviour: str, correct: int
) -> None:
    """Golden answers in typed form are correct; changed or unreadable ones are wrong, status OK."""
    server.behave(behaviour)
    loaded = run(plan(), tmp_path)

    assert set(loaded.requests["correct"]) == {correct}
    assert set(loaded.requests["status"]) == {0}
    assert len(loaded.attempts) == len(loaded.requests) == loaded.generator.sent


def test_unavailable_is_tried_again(server: Served, plan: Plans, tmp_path: Path) -> None:
    """A first attempt that is UNAVAILABLE leads to a second that is OK; both are on record."""
    server.behave("flaky")
    loaded = run(plan(retry=RetryPolicy(budget_ratio=1.0)), tmp_path)

    assert set(loaded.requests["status"]) == {0}
    assert set(loaded.requests["attempts"]) == {2}
    assert set(loaded.requests["correct"]) == {CORRECT}
    first = loaded.attempts[loaded.attempts["number"] == 1]
    assert set(first["status"]) == {UNAVAILABLE}
    assert set(first["detail"]) == {b"the first attempt"}
    assert len(loaded.attempts) == 2 * len(loaded.requests)
    assert loaded.generator.retries == len(loaded.requests)


def test_what_is_no_retry_code_is_not_tried_again(
    server: Served, plan: Plans, tmp_path: Path
) -> None:
    """INVALID_ARGUMENT is the caller's own fault: one attempt, and no answer to judge."""
    server.behave("invalid")
    loaded = run(plan(), tmp_path)

    assert set(loaded.requests["status"]) == {INVALID}
    assert set(loaded.requests["attempts"]) == {1}
    assert set(loaded.requests["correct"]) == {NO_ANSWER}


def test_the_budget_refuses_a_storm(server: Served, plan: Plans, tmp_path: Path) -> None:
    """When all fails, the server sees no more than 1.1 attempts a call, and the reserve."""
    server.behave("unavailable")
    requests_before, attempts_before = server.count()
    policy = RetryPolicy(budget_reserve=20.0, initial_backoff_s=0.01)
    loaded = run(plan(rate_rps=400.0, retry=policy), tmp_path, requests=200)
    requests, attempts = server.count()
    calls = requests - requests_before

    assert calls == loaded.generator.sent
    assert attempts - attempts_before == len(loaded.attempts)
    assert calls < attempts - attempts_before <= 1.1 * calls + 20.0
    assert loaded.generator.retries_refused > 0


def test_one_deadline_spans_all_attempts(server: Served, plan: Plans, tmp_path: Path) -> None:
    """A silent server costs just the deadline, and no retry begins that would pass it."""
    server.behave("silent")
    patient = RetryPolicy(initial_backoff_s=3600, max_backoff_s=3600)
    with LoadProcess.spawn(plan(deadline_s=0.3, retry=patient), tmp_path) as load:
        load.begin()
        until(load, lambda progress: progress.done >= 10)
        server.behave("unavailable")
        until(load, lambda progress: progress.done >= progress.sent - 5)
        rows = load.stop().requests
    silent = rows[rows["status"] == DEADLINE]

    assert set(rows["status"]) == {DEADLINE, UNAVAILABLE}
    assert set(rows["attempts"]) == {1}
    took_s = silent["done_s"] - silent["sent_s"]
    assert bool(np.all(took_s >= 0.29))
    assert float(np.median(took_s)) < 1.0


def test_a_stall_is_seen_and_all_load_is_offered(
    server: Served, plan: Plans, tmp_path: Path
) -> None:
    """A server that stands still for 1 s shows in latency from the intended time, at full rate."""
    with LoadProcess.spawn(plan(deadline_s=5.0), tmp_path) as load:
        began_s = load.begin()
        until(load, lambda progress: progress.done >= 40)
        server.behave("stall 1")
        until(load, lambda progress: progress.done >= 280)
        loaded = load.stop()
    rows = loaded.requests
    latency_s = rows["done_s"] - rows["intended_s"]

    assert latency_s.max() >= 0.9
    # Those intended in the stall's first half waited at least the other half: 100 requests.
    assert (latency_s >= 0.5).sum() >= 90
    span_s = rows["intended_s"][-1] - began_s
    assert len(rows) == pytest.approx(200 * span_s + 1, rel=0.01)
    assert loaded.generator.unsent_share <= 0.01
    assert set(rows["status"]) == {0}
