"""Starts are bounded, the same each time, and as quick in a replacement as without a platform."""

from statistics import median

import pytest

from faults.containers import kill
from harness.experiment import Experiment
from harness.fleet import Life, lives, lone_replacements_s
from harness.judging import Contract
from harness.settings import ModelSource

_PAIRS = 4
_SLOWER_THAN_BARE = 1.3
_MODELS: tuple[ModelSource, ...] = ("baked", "downloaded")
_PAIRS_OF_MODELS = 3


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


def test_startup_baked_or_downloaded(experiment: Experiment, contract: Contract) -> None:
    """A model baked into the image and one downloaded at start are the same model."""
    if not experiment.platform.can_bake:
        pytest.skip("needs service.build and service.artifact: there is no image to compare with")
    starts: dict[str, list[Life]] = {model: [] for model in _MODELS}
    with experiment.under_load(rate_rps=20):
        for model in _MODELS * _PAIRS_OF_MODELS:
            starts[model].append(experiment.bare_cold_start(model))
        medians_s = {f"{model}_median_s": _median_s(starts[model]) for model in _MODELS}
        experiment.note("cold_starts", {**medians_s, "starts_of_each": _PAIRS_OF_MODELS})
    digests = {life.digest for each in starts.values() for life in each}
    assert len(digests) == 1, f"expected one model digest in all starts, found {digests}"
    contract.must_hold("S8", "M1", "R1")


def _median_s(starts: list[Life]) -> float:
    """Of cold starts, each of which has ended in a golden-correct answer."""
    return round(median(life.cold_start_s for life in starts if life.cold_start_s is not None), 3)
