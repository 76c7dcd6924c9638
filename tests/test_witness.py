"""The witness asks what a replica says and what it can do: here one that can do nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from harness.history import Event, History
from harness.load.oip import Workload
from harness.recorder import Recorder
from harness.surfaces import Way
from harness.truth import truths
from harness.witness import Terms, witness
from tests.health_server import HealthServer, health_server

GOLDEN = Path(__file__).parents[1] / "service_under_test" / "models" / "v1" / "golden.npz"


@pytest.fixture
def server() -> Iterator[HealthServer]:
    """It says that it is ready, and offers no inference."""
    with health_server() as found:
        yield found


def terms(recorder: Recorder) -> Terms:
    """Ten questions a second."""
    workload = Workload.load(GOLDEN, "defects", 0, 1e-5)
    return Terms("defects", workload, recorder, "mf-1", 0.1, timeout_s=0.3, deadline_s=0.5)


def samples(recorder: Recorder) -> list[Event]:
    """What the witness noted so far."""
    return [event for event in recorder.events() if event.kind == "witness"]


def await_(true: Callable[[], bool]) -> None:
    """Raises AssertionError where it does not become true within 5 s."""
    deadline_s, pause = time.monotonic() + 5, threading.Event()
    while not true():
        assert time.monotonic() < deadline_s
        pause.wait(0.01)


def test_word_and_deed(server: HealthServer) -> None:
    """A replica that says ready and cannot infer is told as just that, and so counted."""
    recorder = Recorder()
    began_s = time.monotonic()
    with witness(lambda: {"replica-1": server.way}, terms(recorder)):
        await_(lambda: len(samples(recorder)) >= 5)

    seen = samples(recorder)
    assert {each.details["ready"] for each in seen} == {True}
    assert {each.details["correct"] for each in seen} == {False}
    assert {each.details["code"] for each in seen} == {"UNIMPLEMENTED"}
    (truth,) = truths(History("story", began_s, time.monotonic(), events=recorder.events()))
    assert truth.own.false_ready_s > 0.1
    assert truth.own.true_ready_s == truth.own.false_unready_s == 0


def test_a_change_of_word(server: HealthServer) -> None:
    """What it says now is what is noted now."""
    recorder = Recorder()
    with witness(lambda: {"replica-1": server.way}, terms(recorder)):
        await_(lambda: bool(samples(recorder)))
        server.ready = False
        await_(lambda: samples(recorder)[-1].details["ready"] is False)


def test_who_comes_and_goes(server: HealthServer) -> None:
    """Replicas that come to be are asked from then on, and those that are gone no more."""
    recorder = Recorder()
    alive: dict[str, Way] = {}

    def replicas() -> Mapping[str, Way]:
        return dict(alive)

    with witness(replicas, terms(recorder)):
        alive["replica-7"] = server.way
        await_(lambda: bool(samples(recorder)))
        alive.clear()
        await_(lambda: not any(t.name == "witness-replica-7" for t in threading.enumerate()))
        noted = len(samples(recorder))

    assert {each.subject for each in samples(recorder)} == {"replica-7"}
    assert len(samples(recorder)) == noted


def test_nobody_listens() -> None:
    """Where nobody listens no word is noted, and no deed is right."""
    recorder = Recorder()
    with witness(lambda: {"replica-1": Way("127.0.0.1:1", None)}, terms(recorder)):
        await_(lambda: bool(samples(recorder)))

    assert samples(recorder)[0].details["ready"] is None
    assert samples(recorder)[0].details["correct"] is False
