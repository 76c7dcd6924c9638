"""What a fault does when something goes wrong: it heals, and tells all that went wrong."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from harness.errors import FaultError, UnprovenError
from harness.fault import Stages, fault, shown
from harness.platform import Reset
from tests.targets import Thing, injection, taking_down


@pytest.fixture
def thing() -> Thing:
    """What is disturbed."""
    return Thing()


def test_error_in_the_block_heals(thing: Thing) -> None:
    """An error in the block is raised as it is, after healing was proven."""
    subject = injection(thing)

    with pytest.raises(ZeroDivisionError, match=r"^mine$"), subject.hold():
        raise ZeroDivisionError("mine")

    assert thing.notes[-2:] == ["heal", "prove up"]
    assert subject.record.proof.complete
    assert subject.record.restored_s is not None


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, pytest.skip.Exception])
def test_interrupted_block_heals(thing: Thing, interruption: type[BaseException]) -> None:
    """An interrupted block is healed, and the interruption goes on."""
    with pytest.raises(interruption), injection(thing).hold():
        raise interruption("stop")

    assert thing.notes[-2:] == ["heal", "prove up"]


def test_interrupted_block_that_cannot_be_healed() -> None:
    """An interruption goes on even if healing fails, but somebody is told that it did."""
    with (
        pytest.raises(KeyboardInterrupt) as caught,
        injection(Thing(broken_for_good=True)).hold(),
    ):
        raise KeyboardInterrupt

    assert any("not shown to heal" in note for note in getattr(caught.value, "__notes__", ()))


def test_failed_heal() -> None:
    """A heal that cannot be shown is an error of its own, with what was expected and seen."""
    with (
        pytest.raises(UnprovenError, match=r"not shown to heal: .*thing-1 is up; seen: up: False"),
        injection(Thing(broken_for_good=True)).hold(),
    ):
        pass


def test_failed_heal_does_not_hide_the_first_error() -> None:
    """The block's error and the heal's are told together, the block's first."""
    with (
        pytest.raises(ExceptionGroup) as caught,
        injection(Thing(broken_for_good=True)).hold(),
    ):
        raise ZeroDivisionError

    assert [type(each) for each in caught.value.exceptions] == [ZeroDivisionError, UnprovenError]


def test_error_while_injecting() -> None:
    """An injection that raises half way is told as it is, and nothing else beside it."""

    @fault
    def clumsy(thing: Thing) -> Stages:
        thing.take_down()
        raise FaultError("the engine refused")
        yield

    with pytest.raises(FaultError, match=r"^the engine refused$"):
        injection(clumsy(Thing())).hold().__enter__()


def test_error_while_healing(thing: Thing) -> None:
    """A heal that raises is told as it is."""

    @fault
    def stuck(target: Thing) -> Stages:
        target.take_down()
        yield shown("it is down", lambda: not target.up)
        raise FaultError("cannot undo")

    with (
        pytest.raises(FaultError, match=r"^cannot undo$"),
        injection(stuck(thing)).hold(),
    ):
        pass


def test_generator_is_closed(thing: Thing) -> None:
    """What a fault holds on to is let go, whatever it does after its second proof."""
    closed: list[str] = []

    def stages(target: Thing) -> Stages:
        try:
            yield shown("it is well", target.answers)
            yield shown("it is well", target.answers)
            yield ()
        finally:
            closed.append("closed")

    kept = stages(thing)  # or else it would end with its last reference
    planned = replace(taking_down(thing), stages=lambda: kept)
    with injection(planned).hold():
        assert closed == []

    assert closed == ["closed"]


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which each look takes half a second, so that two seconds are soon over."""
    instants = itertools.count(0.0, 0.5)
    monkeypatch.setattr("harness.fault.time", SimpleNamespace(monotonic=lambda: next(instants)))


@pytest.mark.usefixtures("quick_clock")
def test_restarted_bystander(thing: Thing) -> None:
    """A bystander that is another process afterwards was harmed: the fault is healed, and told."""
    bystander = Thing("thing-2")

    @fault
    def careless(target: Thing) -> Stages:
        bystander.restarts += 1
        yield from taking_down(target).stages()

    subject = injection(careless(thing), bystander)
    with pytest.raises(
        UnprovenError, match=r"spare its bystanders.*seen: thing-2#0 before, thing-2#1 now"
    ):
        subject.hold().__enter__()

    assert thing.notes[-2:] == ["heal", "prove up"]
    assert subject.record.proof.complete is False


@pytest.mark.usefixtures("quick_clock")
def test_silent_bystander(thing: Thing) -> None:
    """A bystander that runs but no longer answers was harmed too."""
    with pytest.raises(UnprovenError, match="thing-2 runs on undisturbed"):
        injection(thing, Thing("thing-3"), Thing("thing-2", up=False)).hold().__enter__()

    assert thing.notes[-2:] == ["heal", "prove up"]


class Prefixed(list[str]):
    """Notes that also go to a list shared by several things, with the name of the one."""

    def __init__(self, name: str, shared: list[str]) -> None:
        super().__init__()
        self._name, self._shared = name, shared

    def append(self, note: str) -> None:
        """Note it in both places."""
        super().append(note)
        self._shared.append(f"{self._name} {note}")


def test_nested_faults_heal_in_reverse(thing: Thing) -> None:
    """Of two faults in one block the inner one is healed first; both heal if the block fails."""
    order: list[str] = []
    inner = Thing("thing-2", notes=Prefixed("thing-2", order))
    thing.notes = Prefixed("thing-1", order)

    with pytest.raises(ZeroDivisionError), injection(thing).hold(), injection(inner).hold():
        raise ZeroDivisionError

    assert [note for note in order if "prove" not in note] == [
        "thing-1 inject",
        "thing-2 inject",
        "thing-2 heal",
        "thing-1 heal",
    ]
    assert thing.up
    assert inner.up


def test_an_injection_that_fails_half_way_is_reset() -> None:
    """Where a fault dies while it injects, it cannot heal: the resets of its targets do."""
    reset: list[Reset] = []

    @dataclass
    class Frozen(Thing):
        """A thing that stays as it is when the harness dies."""

        def resets(self) -> Sequence[Reset]:
            """What brings it back."""
            return [Reset("container", self.name)]

    @fault
    def half(thing: Frozen) -> Stages:
        thing.take_down()
        raise FaultError("the second order failed")
        yield shown("never", lambda: True)

    subject = injection(half(Frozen()))
    subject.reset = reset.extend

    with pytest.raises(FaultError, match="second order"):
        subject.hold().__enter__()

    assert reset == [Reset("container", "thing-1")]
