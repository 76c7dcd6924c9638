"""Too much is asked: what is beyond the capacity is refused at once, the rest is served as ever.

The capacity is measured in the run that uses it, once; load is offered in multiples of it.
"""

from pathlib import Path

from faults.containers import pause
from faults.readiness import answer_unready
from faults.traffic import retry_storm, slow_readers, surge
from harness.experiment import Experiment
from harness.judging import Contract

_FEW_CPUS = 0.15
"""Of each replica, so that its limit is the capacity: a machine that bears generator, balancer and
stores as well has less to give at twice the load."""


def test_surge_to_twice_the_capacity(experiment: Experiment, contract: Contract) -> None:
    """At twice the capacity goodput holds, refusals are quick and typed, probes are answered."""
    with experiment.limited(_FEW_CPUS), experiment.under_load():
        experiment.offer(1, 5)
        experiment.offer(0.8, 6)
        twice_rps = experiment.capacity().multiple_rps(2)
        with experiment.inject(surge(experiment.load(), rate_rps=twice_rps)), experiment.offering():
            experiment.observe(30)
    contract.must_hold("O1", "O2", "O3", "R5", "R1", "D3")


def test_surge_that_is_over(experiment: Experiment, contract: Contract) -> None:
    """Three times the capacity, with retries, leaves nothing behind: 10 s later all is served."""
    with experiment.under_load():
        experiment.offer(0.8, 2)
        experiment.offer(3, 15)
        experiment.offer(0.8, 12)
    contract.must_hold("O4", "R1")


def test_surge_after_a_stall(experiment: Experiment, contract: Contract) -> None:
    """A stall of 3 s under 0.8 of the capacity, with retries, does not feed on itself."""
    with (
        experiment.limited(_FEW_CPUS),
        experiment.under_load(),
        experiment.offering(0.8),
    ):
        experiment.observe(2)
        with experiment.inject(pause(*experiment.replicas())):
            experiment.observe(3)
        experiment.observe(12)
    contract.must_hold("M4", "R1", "D3")


def test_surge_of_retries_in_an_outage(experiment: Experiment, contract: Contract) -> None:
    """While every call is answered UNAVAILABLE, retries add at most a fifth to the load."""
    with experiment.under_load():
        experiment.steady(1.5)
        with experiment.inject(answer_unready(*experiment.replicas())):
            experiment.observe(9, name="outage")
        experiment.steady(2)
    contract.must_hold("N4", "R1", "D3")


def test_surge_of_a_flash(experiment: Experiment, contract: Contract) -> None:
    """Three times the usual load, over before anyone could scale, is answered as promised."""
    with experiment.under_load(shape=f"{Path(__file__).with_name('shapes.py')}:Flash"):
        experiment.observe(9)
    requests = experiment.history().requests
    lost = requests[requests["status"] != 0]
    assert not len(lost), f"{len(lost)} of {len(requests)} requests were lost"
    contract.must_hold("L1", "M1", "R1")


def test_surge_that_meets_a_cold_start(experiment: Experiment, contract: Contract) -> None:
    """A burst to three times the load is served by replicas that are added in the midst of it."""
    with experiment.under_load():
        experiment.offer(0.1, 4)
        with experiment.autoscaling(max_replicas=5, target_in_flight=0.2):
            experiment.offer(0.3, 12)
    contract.must_hold("O5", "R1")


def test_surge_of_bad_callers(experiment: Experiment, contract: Contract) -> None:
    """Callers that read nothing, or retry without end, take nothing away from the others."""
    with experiment.under_load(rate_rps=100):
        experiment.steady(2)
        balancer = experiment.platform.balancer
        with experiment.inject(
            slow_readers(balancer, experiment.callers(rate_rps=50), connections=4, streams=4)
        ):
            experiment.observe(4)
        with experiment.inject(retry_storm(balancer, experiment.callers(rate_rps=50))):
            experiment.observe(4)
        experiment.steady(1)
    contract.must_hold("L1", "R1", "D3")
