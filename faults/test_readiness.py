"""The word on readiness is wrong, or late, or garbage: callers must not suffer for it."""

from itertools import cycle

from faults.containers import kill, pause
from faults.readiness import (
    answer_garbage,
    answer_late,
    answer_ready,
    answer_unready,
    disagree,
    flap,
    hang_up,
)
from harness.experiment import Experiment
from harness.history import History
from harness.judging import Contract
from harness.tables import Table
from harness.truth import truths

_NO_SUCH_MODEL = {"MODEL_DIGEST": "0" * 64}
_TYPED = {0, 4, 8, 14}  # OK, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE
_BACK_WITHIN_S = 2.0  # a period of the probe, and a moment for the balancer


def test_readiness_of_a_frozen_replica(experiment: Experiment, contract: Contract) -> None:
    """A replica that freezes for 13 s under load leaves rotation and hardly costs a request."""
    with experiment.under_load(rate_rps=100), experiment.witness():
        experiment.steady(1)
        with experiment.inject(pause(experiment.any_replica())):
            experiment.observe(13)
        experiment.steady(1.5)
    contract.must_hold("N1", "R1", "R2", "R3", "D3", "M1")


def test_readiness_told_wrongly(experiment: Experiment, contract: Contract) -> None:
    """Whatever the probe of one well replica is told in place of the truth costs no request."""
    replicas = cycle(experiment.replicas())
    with experiment.under_load(rate_rps=100), experiment.witness():
        experiment.steady(1)
        with experiment.inject(answer_unready(next(replicas))):
            experiment.observe(2)
        with experiment.inject(flap(next(replicas), period_s=2.0)):
            experiment.observe(1)
        with experiment.inject(answer_late(next(replicas), delay_s=1.5)):
            experiment.observe(1.5)
        with experiment.inject(answer_garbage(next(replicas))):
            experiment.observe(2)
        with experiment.inject(hang_up(next(replicas))):
            experiment.observe(2)
        live, other = next(replicas), next(replicas)
        with experiment.inject(disagree(live, live=True), disagree(other, live=False)):
            experiment.observe(2)
        experiment.steady(1)
    history = experiment.history()
    lost = history.requests[history.requests["status"] != 0]
    assert not len(lost), f"{len(lost)} of {len(history.requests)} requests were lost"
    doubted_s = sum(each.believed.false_unready_s for each in truths(history))
    assert doubted_s >= 4, f"the balancer did without well replicas for only {doubted_s:.1f} s"
    contract.must_hold("R1", "R2", "R3", "D3", "M1")


def test_readiness_of_a_broken_replica(experiment: Experiment, contract: Contract) -> None:
    """A frozen replica that passes for ready stays in rotation; all it costs is typed."""
    victim = experiment.any_replica()
    with experiment.under_load(rate_rps=100), experiment.witness():
        experiment.steady(1)
        with experiment.inject(pause(victim), answer_ready(victim)):
            experiment.observe(3)
        experiment.steady(1.5)
    history = experiment.history()
    believed = {each.replica: each.believed for each in truths(history)}[victim.name]
    assert believed.false_ready_s >= 2.5, (
        f"the balancer believed in {victim.name} for {believed.false_ready_s:.1f} s of 3 in vain"
    )
    assert _statuses(history.requests) <= _TYPED
    contract.must_hold("R1", "R2", "M1")


def test_readiness_denied_to_all(experiment: Experiment, contract: Contract) -> None:
    """While all pass for unready calls are refused, typed; one good probe later they are served."""
    with experiment.under_load(rate_rps=100), experiment.witness():
        experiment.steady(1)
        with experiment.inject(answer_unready(*experiment.replicas())):
            experiment.observe(3)
        experiment.steady(1.5)
    history = experiment.history()
    assert _statuses(history.requests) <= _TYPED
    assert (history.requests["status"] != 0).any(), "nobody was refused"
    back_s = _first_ok_after_healing_s(history)
    assert back_s <= _BACK_WITHIN_S, (
        f"the first call was served {back_s:.2f} s after the lie ended, expected {_BACK_WITHIN_S} s"
    )
    contract.must_hold("R2", "M1")


def test_readiness_of_starts(experiment: Experiment, contract: Contract) -> None:
    """No start says that it is ready before it can infer; without its model none ever does."""
    first = list(experiment.replicas())
    with experiment.under_load(rate_rps=50), experiment.witness():
        with experiment.replica_without_model(_NO_SUCH_MODEL):
            for replica in first:
                with experiment.inject(kill(replica)):
                    pass
        experiment.observe(5)
        # Those that took the first ones' places have been watched for long enough by now.
        for replica in list(experiment.replicas())[:2]:
            with experiment.inject(kill(replica)):
                pass
        experiment.observe(6.5)
    contract.must_hold("S4", "S5", "R1", "R2", "R3", "R4", "R6", "M1")


def _statuses(requests: Table) -> set[int]:
    return set(requests["status"].tolist())


def _first_ok_after_healing_s(history: History) -> float:
    healed_s = history.faults[0].healed_s
    assert healed_s is not None
    served = history.requests[history.requests["status"] == 0]
    after = served["done_s"][served["done_s"] >= healed_s]
    assert len(after), "no call was served after the lie ended"
    return float(after.min()) - healed_s
