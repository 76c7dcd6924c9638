"""The life of a fault: injected, proven, held, healed, proven again; whatever happens inside."""

from dataclasses import replace

import pytest

from harness.errors import FaultError, UnprovenError
from harness.fault import Injection, Stages, fault, shown
from harness.history import Proof
from harness.platform import Target
from harness.recorder import Recorder
from tests.targets import Thing, injection, taking_down


def kinds(subject: Injection) -> list[str]:
    """What was recorded of it, in order."""
    return [event.kind for event in subject.recorder.events()]


def test_order_of_a_life() -> None:
    """Inject, prove, hold, heal, prove: in this order, and both proofs before the block goes on."""
    thing = Thing()
    subject = injection(thing)

    with subject.hold():
        thing.notes.append("window")

    assert thing.notes == ["inject", "prove down", "window", "heal", "prove up"]
    assert kinds(subject) == [
        "fault.injecting",
        "fault.proven",
        "fault.healing",
        "fault.restored",
    ]
    assert subject.recorder.events()[0].details == {"targets": "thing-1"}


def test_record_of_a_life() -> None:
    """The record holds name, targets, instants in order, and proofs with what was seen."""
    subject = injection(Thing(), Thing("thing-2"))

    with subject.hold():
        pass

    record = subject.record
    assert (record.scenario, record.name, record.targets) == ("story", "taking down", ("thing-1",))
    instants = (record.injected_s, record.effect_s, record.healed_s, record.restored_s)
    assert None not in instants
    assert list(instants) == sorted(instants, key=lambda each: each or 0.0)
    assert record.proof.complete
    assert _told(record.proof.effect) == [("thing-1 is down", True, "up: False")]
    assert _told(record.proof.bystander) == [
        ("thing-2 runs on undisturbed", True, "thing-2#0 before, thing-2#0 now")
    ]
    assert _told(record.proof.restored) == [("thing-1 is up", True, "up: True")]


def _told(proofs: tuple[Proof, ...]) -> list[tuple[str, bool, str]]:
    return [(proof.statement, proof.proven, proof.seen) for proof in proofs]


def test_planning_disturbs_nothing() -> None:
    """A planned fault has a name and targets, and has not touched them."""
    thing = Thing()
    planned = taking_down(thing)

    assert (planned.name, planned.targets) == ("taking down", (thing,))
    assert thing.notes == []


def test_sabotaged_injection() -> None:
    """An injection without effect raises before the block runs, and is healed all the same."""
    thing = Thing(resists=True)
    subject = injection(thing)

    with pytest.raises(UnprovenError, match=r"not shown to take effect.*is down; seen: up: True"):
        subject.hold().__enter__()

    assert thing.notes == ["inject", "prove down", "heal", "prove up"]
    assert [proof.proven for proof in subject.record.proof.effect] == [False]


def test_unproven_effect_has_no_instant() -> None:
    """Where no effect was proven there is no instant at which it was, and no such event."""
    subject = injection(Thing(resists=True))

    with pytest.raises(UnprovenError):
        subject.hold().__enter__()

    assert subject.record.effect_s is None
    assert "fault.proven" not in kinds(subject)


def test_unproven_restoration_has_no_instant() -> None:
    """Where no restoration was proven there is no instant at which it was, and no such event."""
    subject = injection(Thing(broken_for_good=True))

    with pytest.raises(UnprovenError), subject.hold():
        pass

    assert subject.record.restored_s is None
    assert "fault.restored" not in kinds(subject)


def test_late_effect_is_awaited() -> None:
    """An effect that shows after a few looks is proven, not missed."""
    looks = iter((False, False, False, True))

    @fault
    def slow(thing: Thing) -> Stages:
        yield shown(f"{thing.name} is slow", lambda: next(looks), within_s=5.0)
        yield shown(f"{thing.name} is quick", lambda: True)

    subject = injection(slow(Thing()))
    with subject.hold():
        pass

    assert [proof.proven for proof in subject.record.proof.effect] == [True]
    assert next(looks, None) is None


def test_several_checks_must_all_hold() -> None:
    """A fault may show its effect in several ways; one that fails is one too many."""

    @fault
    def half(thing: Thing) -> Stages:
        yield [shown("one", lambda: True), shown("two", lambda: False, within_s=0.0)]
        yield shown(f"{thing.name} is well", lambda: True)

    subject = injection(half(Thing()))
    with pytest.raises(UnprovenError, match="expected that two"):
        subject.hold().__enter__()

    assert [proof.proven for proof in subject.record.proof.effect] == [True, False]


def test_nobody_stands_by() -> None:
    """Where everything is a target nobody could be harmed besides, and the record says so."""
    subject = Injection.of(taking_down(Thing()), "story", (), Recorder())

    with subject.hold():
        pass

    (proof,) = subject.record.proof.bystander
    assert proof.proven
    assert proof.statement == "there is nothing else that could be harmed"


def test_fault_without_proof() -> None:
    """A fault that offers no check is unproven, whatever it did."""

    @fault
    def silent(_thing: Thing) -> Stages:
        yield ()
        yield shown("all is well", lambda: True)

    with pytest.raises(UnprovenError, match="take effect: it offers no proof"):
        injection(silent(Thing())).hold().__enter__()


def test_no_target() -> None:
    """A fault that finds nothing to disturb is an error when it is planned."""
    with pytest.raises(FaultError, match="'taking down' found no target"):
        taking_down("replica-1")  # type: ignore[arg-type]


def test_target_by_name() -> None:
    """A target may be given by keyword."""
    assert taking_down(thing=Thing("thing-3")).targets[0].name == "thing-3"


def test_thing_is_a_target() -> None:
    """What these tests disturb is what the harness calls a target."""
    assert isinstance(Thing(), Target)


def test_what_was_hit_besides_is_told() -> None:
    """A fault that goes on to its target's successors names them once it is over."""
    planned = replace(taking_down(Thing()), also_hit=lambda: ("thing-1", "thing-7"))
    subject = injection(planned)

    with subject.hold():
        assert subject.record.targets == ("thing-1",)

    assert subject.record.targets == ("thing-1", "thing-7")
