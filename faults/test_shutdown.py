"""Replicas are told to stop, as in every rollout and at every scale-down: nobody may notice."""

from faults.containers import stop
from harness.experiment import Experiment
from harness.judging import Contract


def test_shutdown_of_one_replica(experiment: Experiment, contract: Contract) -> None:
    """A replica that is told to stop under load ends by itself, and finishes what it accepted."""
    with experiment.under_load(rate_rps=200):
        experiment.steady(1.5)
        with experiment.inject(stop(experiment.any_replica())):
            experiment.observe(1)
        experiment.steady(1.5)
    contract.must_hold("T1", "D3", "D5", "M1", "R1", "R3")
