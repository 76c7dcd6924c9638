"""Instances vanish: the platform replaces them, and callers must not notice."""

from faults.containers import kill
from harness.experiment import Experiment
from harness.judging import Contract
from harness.phases import phases

_BACK_AFTER_READY_S = 0.5


def test_rescheduling_one_replica(experiment: Experiment, contract: Contract) -> None:
    """Losing one of three replicas under 200 requests per second costs no request."""
    with experiment.under_load(rate_rps=200):
        experiment.steady(2.5)
        with experiment.inject(kill(experiment.any_replica())):
            experiment.observe(5.4)
        experiment.steady(2)
    contract.must_hold("T5", "D3", "D5", "M1", "N2", "R1", "R3")


def test_rescheduling_each_replica_in_turn(experiment: Experiment, contract: Contract) -> None:
    """Losing every replica in turn, until none of the first is left, costs no request."""
    first = experiment.replicas()
    with experiment.under_load(rate_rps=200):
        experiment.steady(1.5)
        for replica in first:
            with experiment.inject(kill(replica)):
                experiment.observe(2.1)
        experiment.steady(1.2)
    survivors = {each.name for each in experiment.replicas()}
    assert survivors.isdisjoint(each.name for each in first)
    contract.must_hold("T5", "D3", "D5", "M1", "R1", "R3")


def test_rescheduling_all_replicas_at_once(experiment: Experiment, contract: Contract) -> None:
    """Losing all replicas at once loses no record; the service is back once one is ready."""
    with experiment.under_load(rate_rps=200):
        experiment.steady(2)
        with experiment.inject(kill(*experiment.replicas())):
            experiment.observe(3.5)
        experiment.steady(1.5)
    history = experiment.history()
    times = phases(history, history.faults[0])
    back_s, start_s = times.back_s, times.first_correct_s
    assert back_s is not None, "no answer was right after the kill"
    assert start_s is not None, "not every replacement gave a right answer"
    assert back_s <= start_s + _BACK_AFTER_READY_S, (
        f"the service was back {back_s:.2f} s after the kill, the slowest replacement could answer "
        f"at {start_s:.2f} s: more than {_BACK_AFTER_READY_S} s earlier"
    )
    contract.must_hold("D3", "D5", "M1", "R1")


def test_rescheduling_during_a_start(experiment: Experiment, contract: Contract) -> None:
    """Losing a replica while the replacement of another one still starts costs no request."""
    first, second, *_ = experiment.replicas()
    with experiment.under_load(rate_rps=200):
        experiment.steady(1.5)
        with experiment.inject(kill(first)):
            assert not first.successor_is_ready()
            with experiment.inject(kill(second)):
                experiment.observe(2.5)
        experiment.steady(1)
    contract.must_hold("T5", "D3", "D5", "M1", "R1", "R3")


def test_rescheduling_the_balancer(experiment: Experiment, contract: Contract) -> None:
    """Losing the balancer itself loses no acknowledged record and no replica."""
    with experiment.under_load(rate_rps=200):
        experiment.steady(2)
        with experiment.inject(kill(experiment.platform.balancer)):
            experiment.observe(2.8)
        experiment.steady(2)
    contract.must_hold("D3", "M1", "R1", "R3")
