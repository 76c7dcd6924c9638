"""Storage is slow, gone, or wrong: the service says so, recovers by itself, and never lies."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from faults._expiring import try_deadlines
from faults.containers import kill
from faults.storage import (
    black_hole,
    cut,
    flip_bits,
    half_open,
    refuse,
    reset,
    slow,
    throttle,
)
from harness.experiment import Experiment
from harness.fault import Planned
from harness.judging import Contract


def test_storage_cache_swallows_all(experiment: Experiment, contract: Contract) -> None:
    """A cache that swallows everything for 30 s, while a replica starts too, costs no request."""
    cache = experiment.storage_path("cache")
    with experiment.under_load(rate_rps=200), experiment.witness():
        experiment.steady(1.5)
        with experiment.inject(black_hole(cache)):
            experiment.observe(20)
            with experiment.inject(kill(experiment.any_replica())):
                experiment.observe(10)
        experiment.steady(2)
    contract.must_hold("D4", "L1", "D3", "R1", "R2", "M1")


def test_storage_cache_in_trouble(experiment: Experiment, contract: Contract) -> None:
    """However the cache fails, no request does, and nothing that it garbles is ever answered."""
    cache = experiment.storage_path("cache")
    troubles = (
        slow(cache, latency_ms=100, jitter_ms=20),
        refuse(cache),
        reset(cache),
        half_open(cache),
        cut(cache, after_bytes=2_000),
        flip_bits(cache, flips_per_mb=1_000, seed=experiment.seed),
    )
    with experiment.under_load(rate_rps=200), experiment.witness():
        experiment.steady(1)
        for trouble in troubles:
            with experiment.inject(trouble):
                experiment.observe(2)
            experiment.steady(1)
    contract.must_hold("D4", "L1", "D3", "R1", "R2", "M1")


def test_storage_slow_database(experiment: Experiment, contract: Contract) -> None:
    """A record store 50 ms away slows answers down by no more than is promised."""
    with experiment.under_load(rate_rps=200), experiment.witness():
        experiment.steady(1)
        with experiment.inject(slow(experiment.storage_path("database"), latency_ms=50)):
            experiment.observe(3)
        experiment.steady(1)
    contract.must_hold("L1", "D3", "R1", "R2", "M1")


def test_storage_deadlines(experiment: Experiment, contract: Contract) -> None:
    """Calls that expire behind a slow record store are not recorded, and hold up nobody."""
    with experiment.inject(slow(experiment.storage_path("database"), latency_ms=250)):
        try_deadlines(experiment, experiment.any_replica().name)
    contract.must_hold("N5", "R1")


def test_storage_database_away(experiment: Experiment, contract: Contract) -> None:
    """While predictions cannot be recorded none is acknowledged; each refusal says why."""
    database = experiment.storage_path("database")
    with experiment.under_load(rate_rps=150), experiment.witness():
        experiment.steady(1)
        for away in (black_hole(database), reset(database), half_open(database)):
            with experiment.inject(away):
                experiment.observe(2)
            experiment.steady(2)
        with _a_replica_starts_under(experiment, refuse(database)):
            experiment.observe(2)
        experiment.steady(3)
    contract.must_hold("D6", "D3", "R1", "R2", "M1")


def test_storage_model_store_away(experiment: Experiment, contract: Contract) -> None:
    """A replica that starts while the model store fails is ready soon after it is back."""
    store = experiment.storage_path("store")
    troubles = (
        refuse(store),
        black_hole(store),
        reset(store),
        cut(store, after_bytes=4_000),
        flip_bits(store, flips_per_mb=1_000, seed=experiment.seed),
    )
    with experiment.under_load(rate_rps=150), experiment.witness():
        experiment.steady(1)
        for trouble in troubles:
            with _a_replica_starts_under(experiment, trouble):
                experiment.observe(1.5)
        experiment.steady(1)
    contract.must_hold("S7", "D3", "R1", "R2", "M1")


def test_storage_slow_model_store(experiment: Experiment, contract: Contract) -> None:
    """A model store that is slow and narrow, or loses its connections, delays no start for long."""
    store = experiment.storage_path("store")
    with experiment.under_load(rate_rps=150), experiment.witness():
        experiment.steady(1)
        with _a_replica_starts_under(
            experiment, throttle(store, rate_kbps=200), slow(store, latency_ms=100)
        ):
            experiment.observe(1.5)
        with _a_replica_starts_under(experiment, half_open(store)):
            experiment.observe(1)
        experiment.steady(1)
    contract.must_hold("S7", "L1", "D3", "R1", "R2", "M1")


@contextmanager
def _a_replica_starts_under(experiment: Experiment, *faults: Planned) -> Iterator[None]:
    """A replica is lost under the faults, which end before its successor has to be ready."""
    with ExitStack() as loss, experiment.inject(*faults):
        loss.enter_context(experiment.inject(kill(experiment.any_replica())))
        yield
