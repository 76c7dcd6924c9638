"""Corrupted readiness on a real prober and real sockets, without an engine."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from faults.readiness import (
    answer_garbage,
    answer_late,
    answer_ready,
    answer_unready,
    disagree,
    flap,
    hang_up,
)
from harness.errors import FaultError, UnprovenError
from harness.fault import Injection, Planned
from harness.platform import Probed
from harness.probes import ProbePath
from harness.recorder import Recorder
from tests.health_server import PROBES, ProbedThing, probed
from tests.targets import Thing

INJECTORS: dict[str, Callable[[Probed], Planned]] = {
    "answer ready": answer_ready,
    "answer unready": answer_unready,
    "flap": lambda replica: flap(replica, period_s=0.4),
    "answer late": lambda replica: answer_late(replica, delay_s=0.5),
    "answer garbage": answer_garbage,
    "hang up": hang_up,
    "disagree": lambda replica: disagree(replica, live=False),
}


@pytest.fixture
def thing() -> Iterator[ProbedThing]:
    """A replica that is ready, and probed every 0.1 s."""
    with probed() as found:
        yield found


def injection(planned: Planned) -> Injection:
    """One that is about to begin, beside somebody who stands by."""
    return Injection.of(planned, "story", (Thing("bystander"),), Recorder())


def await_(true: Callable[[], bool]) -> None:
    """Raises AssertionError where it does not become true within 5 s."""
    deadline_s, pause = time.monotonic() + 5, threading.Event()
    while not true():
        assert time.monotonic() < deadline_s
        pause.wait(0.01)


@pytest.mark.parametrize("name", INJECTORS)
def test_effect_and_restoration(thing: ProbedThing, name: str) -> None:
    """Each injector takes effect, is undone, and proves both; its name is what the report says."""
    thing.server.ready = name != "answer ready"  # which lies only about one that is not
    under_way = injection(INJECTORS[name](thing))

    with under_way.hold():
        pass

    assert under_way.record.name == name
    assert under_way.record.proof.complete
    assert thing.prober.path.way == thing.prober.path.direct


@pytest.mark.parametrize("name", INJECTORS)
def test_sabotaged(thing: ProbedThing, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An injector that leads nobody astray is found out."""
    thing.server.ready = name != "answer ready"
    monkeypatch.setattr(ProbePath, "lead", lambda _path, _way: None)
    under_way = injection(INJECTORS[name](thing))
    under_way.patience_s = 0.5

    with pytest.raises(UnprovenError, match="not shown to take effect"), under_way.hold():
        pass


def test_not_undone(thing: ProbedThing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that is left astray is found out: nobody answers it where the fault stood."""
    monkeypatch.setattr(ProbePath, "straighten", lambda _path: None)
    under_way = injection(answer_unready(thing))
    under_way.patience_s = 0.5

    with pytest.raises(UnprovenError, match="not shown to heal"), under_way.hold():
        pass


def test_the_count_of_failures_goes_on(thing: ProbedThing) -> None:
    """Two bad answers in a row make unready, and one good one ready again."""
    with injection(answer_unready(thing)).hold():
        await_(lambda: thing.told == [True, False])

    await_(lambda: thing.told == [True, False, True])


def test_what_a_fault_answers_is_marked(thing: ProbedThing) -> None:
    """Each probe that a fault had its hand in says so in the history, and no other one does."""
    with injection(hang_up(thing)).hold():
        pass

    probes = [event.details for event in thing.recorder.events() if event.kind == "probe"]
    assert {each["answer"] for each in probes if each.get("interposed")} == {None}
    assert all(each["answer"] for each in probes if not each.get("interposed"))


def test_late_in_numbers(thing: ProbedThing) -> None:
    """The probe waits for its whole time-out, and a few milliseconds before and after."""
    under_way = injection(answer_late(thing, delay_s=0.5))

    with under_way.hold():
        pass

    proof = under_way.record.proof
    assert 285 <= (proof.effect[0].measured or 0) <= 450
    assert (proof.baseline[0].measured or 1000) < 50
    assert (proof.restored[-1].measured or 1000) < 100


def test_flips_in_numbers(thing: ProbedThing) -> None:
    """Two flips in each period of 0.4 s are 5 a second, give or take what a probe can miss."""
    under_way = injection(flap(thing, period_s=0.4))

    with under_way.hold():
        pass

    assert 2.5 <= (under_way.record.proof.effect[0].measured or 0) <= 7.5


def test_a_lie_that_is_the_truth_proves_nothing(thing: ProbedThing) -> None:
    """Saying "ready" of a replica that is ready has no effect."""
    under_way = injection(answer_ready(thing))
    under_way.patience_s = 0.5

    with pytest.raises(UnprovenError, match="asked directly, is not ready"), under_way.hold():
        pass


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (lambda thing: flap(thing, period_s=0), "period_s above 0, saw 0"),
        (lambda thing: answer_late(thing, delay_s=-1), "delay_s above 0, saw -1"),
        (lambda _: answer_unready(), "found no target"),
    ],
)
def test_refused_when_made(
    thing: ProbedThing, plan: Callable[[ProbedThing], Planned], expected: str
) -> None:
    """What cannot be meant is refused before anything is disturbed."""
    with pytest.raises(FaultError, match=expected):
        plan(thing)


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (lambda thing: flap(thing, period_s=0.1), "two of the probe's own"),
        (lambda thing: answer_late(thing, delay_s=PROBES.timeout_s), "beyond the probe's time-out"),
    ],
)
def test_refused_for_this_probe(
    thing: ProbedThing, planned: Callable[[ProbedThing], Planned], expected: str
) -> None:
    """What this platform's probe could never see is refused as well."""
    with pytest.raises(FaultError, match=expected), injection(planned(thing)).hold():
        pass
