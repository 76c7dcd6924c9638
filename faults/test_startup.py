"""Starts are bounded, the same each time, and as quick in a replacement as without a platform."""

from statistics import median

from faults.containers import kill
from harness.experiment import Experiment
from harness.fleet import lives, lone_replacements_s
from harness.judging import Contract

_PAIRS = 4
_SLOWER_THAN_BARE = 1.3


def test_startup_of_a_replacement(experiment: Experiment, contract: Contract) -> None:
    """A replacement is ready, after the death before it, within 1.3 bare cold starts."""
    bare_s = []
    with experiment.under_load(rate_rps=200):
        began_s = experiment.now_s
        # In turn and under one load, so that whatever slows the machine down slows both.
        for _ in range(_PAIRS):
            with experiment.inject(kill(experiment.any_replica())):
                pass
            bare = experiment.bare_cold_start().time_to_ready_s
            assert bare is not None
            bare_s.append(bare)
    fleet = lives(experiment.history().events)
    recent = {life.name: life for life in fleet.values() if (life.died_s or began_s) >= began_s}
    replacements_s = lone_replacements_s(recent)
    assert len(replacements_s) == _PAIRS
    ratio = median(replacements_s) / median(bare_s)
    assert ratio <= _SLOWER_THAN_BARE, (
        f"a replacement took {median(replacements_s):.2f} s from the death before it to readiness, "
        f"a bare start {median(bare_s):.2f} s (medians of {_PAIRS}): {ratio:.2f} times, more than "
        f"{_SLOWER_THAN_BARE}"
    )
    contract.must_hold("T5", "D3", "M1", "R1", "R3")
    contract.must_hold_over_the_run("S2", "S8", "M1", "R1")
