"""Baselines and proofs by numbers: measured before, held against bounds, kept in the record."""

from collections.abc import Iterator

import pytest

from harness.errors import UnprovenError
from harness.fault import Stages, between, fault, measured
from tests.targets import Thing, injection


def readings(*values: float) -> Iterator[float]:
    """One reading after the other."""
    return iter(values)


@fault
def slowing(thing: Thing, times_ms: Iterator[float]) -> Stages:
    """Takes 200 ms longer, by the readings of a clock that is given."""
    before_ms = yield measured("round trip", lambda: next(times_ms), "ms")
    thing.take_down()
    yield between("slower", lambda: next(times_ms), before_ms + 180, before_ms + 260, "ms", 0.0)
    thing.bring_up()
    yield between("quick again", lambda: next(times_ms), 0, before_ms + 20, "ms", 0.0)


def test_numbers_are_kept() -> None:
    """The record holds the baseline, and each measured number with the bounds that it met."""
    subject = injection(slowing(Thing(), readings(1.5, 203.0, 1.9)))

    with subject.hold():
        pass

    proof = subject.record.proof
    assert [(each.measured, each.unit, each.seen) for each in proof.baseline] == [
        (1.5, "ms", "1.5 ms")
    ]
    (effect,), (restored,) = proof.effect, proof.restored
    assert (effect.measured, effect.least, effect.most, effect.unit) == (203.0, 181.5, 261.5, "ms")
    assert (restored.measured, restored.most) == (1.9, 21.5)
    assert proof.complete


def test_the_baseline_comes_before_the_disturbance() -> None:
    """The instant of injection is after the baseline was measured."""
    subject = injection(slowing(Thing(), readings(1.5, 203.0, 1.9)))

    with subject.hold():
        pass

    (baseline,) = subject.record.proof.baseline
    assert baseline.time_s <= subject.record.injected_s


@pytest.mark.parametrize("effect_ms", [100.0, 300.0])
def test_a_number_out_of_bounds_proves_nothing(effect_ms: float) -> None:
    """Too weak and too strong an effect are both unproven; the error tells number and bounds."""
    thing = Thing()
    subject = injection(slowing(thing, readings(1.5, effect_ms, 1.9)))

    with pytest.raises(UnprovenError, match=rf"seen: {effect_ms:g} ms, expected 181.5 to 261.5 ms"):
        subject.hold().__enter__()

    assert thing.up


def test_without_a_baseline_nothing_is_disturbed() -> None:
    """Where the baseline cannot be measured there is nothing to hold an effect against."""

    @fault
    def blind(thing: Thing) -> Stages:
        def time_out() -> float:
            raise TimeoutError("no answer in 1 s")

        yield measured("round trip", time_out, "ms")
        thing.take_down()

    thing = Thing()
    subject = injection(blind(thing))

    with pytest.raises(UnprovenError, match="no baseline: round trip could not be measured"):
        subject.hold().__enter__()

    assert thing.notes == []
    assert not subject.record.proof.baseline[0].proven


def test_a_measurement_that_fails_is_not_within_bounds() -> None:
    """A time-out while proving counts as a look that did not show it, and is told."""

    @fault
    def deaf(thing: Thing) -> Stages:
        def time_out() -> float:
            raise TimeoutError("no answer in 1 s")

        thing.take_down()
        yield between("slower", time_out, 1, 2, "ms", 0.0)
        thing.bring_up()
        yield between("quick", lambda: 1.0, 0, 2, "ms", 0.0)

    subject = injection(deaf(Thing()))

    with pytest.raises(UnprovenError, match="could not be measured: TimeoutError: no answer"):
        subject.hold().__enter__()
