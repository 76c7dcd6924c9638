"""The phase times of a disturbance, from hand-written histories."""

from dataclasses import replace

import pytest

from harness.phases import Phases, phases
from tests.clauses.histories import Story


def killed() -> Story:
    """Three replicas under load, of which the second is killed five seconds into the scenario."""
    story = Story().fleet(3).requests(rate_rps=100).steady(to_s=5)
    return story.kill("replica-2", at_s=5)


def told(story: Story) -> Phases:
    """The phases of the story's first fault."""
    history = story.told()
    return phases(history, history.faults[0])


def test_kill() -> None:
    """Every phase of a kill and its replacement is counted from the proven effect, at 5.05 s."""
    seen = told(killed())

    assert seen.detect_s == 0.0  # the call in flight failed before the effect was proven
    assert seen.eject_s == pytest.approx(0.24, abs=0.02)
    assert seen.ordered_s == pytest.approx(0.35)
    assert seen.started_s == pytest.approx(0.65)
    assert seen.ready_s == pytest.approx(1.85)
    assert seen.first_correct_s == pytest.approx(1.85)
    assert seen.readmit_s == pytest.approx(1.87, abs=0.05)
    assert seen.back_s == pytest.approx(0.03, abs=0.01)
    assert seen.recovered_s == 0.0
    assert seen.outage_s == pytest.approx(0.02)


def test_detected_by_readiness() -> None:
    """Where no client notices, the first readiness flip is the detection."""
    story = Story().fleet(3).requests(rate_rps=100).fault("starve", "replica-2", at_s=5)
    story.event("replica.unready", "replica-2", at_s=5.4)

    assert told(story).detect_s == pytest.approx(0.35)


def test_detected_by_latency() -> None:
    """An answer later than three times the steady 99th percentile is a deviation."""
    story = Story().fleet(3).requests(rate_rps=100).steady(to_s=5)
    story.fault("slow", "replica-2", at_s=5).request("r-520", done_s=5.3)

    assert told(story).detect_s == pytest.approx(0.25)


def test_unnoticed() -> None:
    """A fault that nobody notices is never detected, and recovered from at once."""
    seen = told(Story().fleet(3).requests(rate_rps=100).fault("drop_cache", "cache", at_s=5))

    assert seen.detect_s is None
    assert seen.recovered_s == 0.0
    assert seen.eject_s is None  # a backing service is not behind the balancer


def test_eject_of_a_paused_replica() -> None:
    """What a victim that lives on gets after it is healed is no delay of its ejection."""
    story = Story().fleet(3).requests(rate_rps=100).fault("pause", "replica-2", at_s=5)
    story.calls.clear()

    assert told(story).eject_s == pytest.approx(1.95, abs=0.03)


def test_never_sent_again() -> None:
    """A victim that gets nothing after the effect was ejected at once."""
    story = Story().fleet(3).requests(rate_rps=100, to_s=5).kill("replica-2", at_s=5)

    assert told(story).eject_s == 0.0


def test_slowest_replacement() -> None:
    """Of several replacements the slowest counts, and one that never came censors the phase."""
    story = Story().fleet(3).requests(rate_rps=50).fault("kill", "replica-1", "replica-2", at_s=5)
    story.dies("replica-1", at_s=5.005).dies("replica-2", at_s=5.005)
    story.start("replica-4", at_s=6, took_s=1, instead_of="replica-1")
    story.start("replica-5", at_s=6, took_s=4, instead_of="replica-2")
    both = told(story)
    story.start("replica-5", at_s=6, took_s=None, instead_of="replica-2")
    one = told(story)

    assert both.ready_s == pytest.approx(4.95)
    assert one.ordered_s == pytest.approx(0.95)
    assert one.ready_s is None


def test_recovered_after_the_last_failure() -> None:
    """Recovery begins with the first request after the last that failed, was wrong or late."""
    for columns in ({"status": 14}, {"correct": 0}, {"done_s": 9.0}):
        seen = told(killed().request("r-560", **columns).request("r-700", **columns))

        assert seen.recovered_s == pytest.approx(7.01 - 5.05)


def test_never_recovered() -> None:
    """A failure within the last second leaves too little to believe in a recovery."""
    assert told(killed().request("r-2950", status=14)).recovered_s is None


def test_outage() -> None:
    """The outage is the longest stretch without an OK answer, censored by the last failure."""
    story, ended = killed(), killed()
    for number in range(510, 710):
        story.request(f"r-{number}", status=14)
    for number in range(510, 3000):
        ended.request(f"r-{number}", status=14)

    assert told(story).outage_s == pytest.approx(2.01)
    assert told(ended).outage_s == pytest.approx(24.9)
    assert told(ended).back_s == pytest.approx(0.03, abs=0.03)


def test_unproven() -> None:
    """Without a proven effect there is no t0, and so no phase."""
    history = killed().told()

    assert phases(history, replace(history.faults[0], effect_s=None)) == Phases()


def test_nothing_sent() -> None:
    """Without requests what clients see is unknown, and what the platform did is still told."""
    seen = told(Story().fleet(3).kill("replica-2", at_s=5))

    assert (seen.back_s, seen.recovered_s, seen.outage_s, seen.readmit_s) == (None,) * 4
    assert seen.ready_s == pytest.approx(1.85)


def test_mapping() -> None:
    """The figures carry their unit in their names, as a stored scenario wants them."""
    assert all(name.endswith("_s") for name in Phases().as_mapping())
