"""Calls that expire while they wait behind another one, and a fresh call behind them."""

import itertools
import statistics
import threading
import time

import grpc

from harness.experiment import Experiment
from harness.history import Value
from harness.load.oip import METHOD, Workload
from harness.surfaces import channel

_TRIALS = 3  # of which the median is the service time
_EXPIRING = 5
_DEADLINE_SHARE = 0.2  # of the service time
_PATIENCE_S = 10.0


def try_deadlines(experiment: Experiment, replica: str) -> None:
    """One trial at one replica, past the balancer; noted as an event ``deadline.tried``.

    A call occupies the replica; others queue up behind it with a deadline that is over before
    their turn comes; then one comes that has time. Each asks about a golden case of its own, for
    one that the service's cache knows need not be run. ``executed`` counts the expired ones that
    are in the record store all the same: what is recorded was run, or at least acknowledged.
    """
    workload = Workload.load(
        experiment.golden, experiment.settings.service.model, experiment.seed, experiment.tolerance
    )
    prefix = f"{experiment.id_prefix}n5-"
    with channel(experiment.platform.direct_ways()[replica].grpc_address) as link:
        infer = link.unary_unary(METHOD, _as_it_is, _as_it_is)

        numbers = itertools.count()

        def call(name: str, timeout_s: float = _PATIENCE_S) -> "grpc.Future[bytes]":
            body = workload.body(workload.case(next(numbers)), f"{prefix}{name}")
            return infer.future(body, timeout=timeout_s)

        service_ms = statistics.median(_took_ms(call(f"{n}")) for n in range(_TRIALS))
        deadline_s = _DEADLINE_SHARE * service_ms / 1e3
        occupying = call("occupying")
        # Nothing tells from outside when its turn has come; the others must not share it.
        threading.Event().wait(deadline_s)
        expiring = [call(f"late-{n}", deadline_s) for n in range(_EXPIRING)]
        expired = sum(_has_expired(each) for each in expiring)
        fresh_ms = _took_ms(call("fresh"))
        occupying.result()
        # What nobody waits for any more says nothing when it is done: one behind the other, all
        # of it would be over by then.
        threading.Event().wait(_EXPIRING * service_ms / 1e3)
    records = experiment.platform.records(f"{prefix}late-")
    details: dict[str, Value] = {
        "service_time_ms": service_ms,
        "deadline_ms": deadline_s * 1e3,
        "expired": expired,
        "fresh_ms": fresh_ms,
        "executed": None if records is None else len(records),
    }
    experiment.recorder.event("deadline.tried", replica, details)


def _took_ms(under_way: "grpc.Future[bytes]") -> float:
    began_s = time.perf_counter()
    under_way.result()
    return (time.perf_counter() - began_s) * 1e3


def _has_expired(under_way: "grpc.Future[bytes]") -> bool:
    error = under_way.exception()
    return isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def _as_it_is(message: bytes) -> bytes:
    return message
