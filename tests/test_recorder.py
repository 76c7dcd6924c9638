"""The run's memory."""

import threading
import time

import pytest

from harness.recorder import Recorder


def test_now_unless_told() -> None:
    """An event happened now, unless another instant is named."""
    recorder = Recorder()
    before_s = time.monotonic()
    now = recorder.event("replica.ready", "replica-1")
    then = recorder.event("replica.died", "replica-1", {"exit_code": 137}, time_s=1.5)

    assert before_s <= now.time_s <= time.monotonic()
    assert (then.kind, then.subject, then.time_s) == ("replica.died", "replica-1", 1.5)
    assert then.details == {"exit_code": 137}


def test_events_in_order_of_time() -> None:
    """Events are told by their instants, not by when they were recorded; ties keep their order."""
    recorder = Recorder()
    for time_s, kind in ((3.0, "c"), (1.0, "a"), (3.0, "d"), (2.0, "b")):
        recorder.event(kind, "x", time_s=time_s)

    assert [event.kind for event in recorder.events()] == ["a", "b", "c", "d"]


def test_events_until() -> None:
    """Events later than the asked instant are left out, those at the instant are not."""
    recorder = Recorder()
    for time_s in (1.0, 2.0, 3.0):
        recorder.event("tick", "x", time_s=time_s)

    assert [event.time_s for event in recorder.events(2.0)] == [1.0, 2.0]


def test_events_are_a_copy() -> None:
    """What was told is not changed by what happens later."""
    recorder = Recorder()
    told = recorder.events()
    recorder.event("tick", "x")

    assert told == ()


def test_usage_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of a stretch of time are told with their instants, its ends included."""
    recorder = Recorder()
    clock = iter((1.0, 2.0, 3.0, 4.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    for number in range(4):
        recorder.usage("replica-1", float(number), 1e6, 0.5)
    monkeypatch.undo()

    rows = recorder.usage_between(2.0, 3.0)

    assert rows["time_s"].tolist() == [2.0, 3.0]
    assert rows["cpu_s"].tolist() == [1.0, 2.0]
    assert rows["container"].tolist() == [b"replica-1"] * 2
    assert rows["throttled_s"].tolist() == [0.5] * 2


def test_from_many_threads() -> None:
    """Nothing is lost when many threads record at once."""
    recorder = Recorder()

    def record(name: str) -> None:
        for _ in range(200):
            recorder.event("tick", name)
            recorder.usage(name, 0.0, 0.0, 0.0)

    threads = [threading.Thread(target=record, args=(f"thread-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(recorder.events()) == 800
    assert len(recorder.usage_between(0.0, float("inf"))) == 800
