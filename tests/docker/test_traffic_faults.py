"""Faults of traffic on the real balancer: it holds what is not read, and lets go of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from faults.traffic import retry_storm, slow_readers
from harness.assembly import Assembly
from harness.directories import new_run_id
from harness.fault import Injection
from harness.load.plan import Plan
from harness.load.single import call
from harness.platforms.docker import DockerPlatform
from harness.recorder import Recorder
from tests.docker.workplace import PROJECT


@pytest.fixture(scope="module")
def platform() -> Iterator[tuple[DockerPlatform, Path]]:
    """A platform with three replicas, and its golden file."""
    assembly = Assembly.of(PROJECT / "resilience.toml")
    smaller = msgspec.structs.replace(assembly.settings.platform, replicas=3)
    settings = msgspec.structs.replace(assembly.settings, platform=smaller)
    images = assembly.images(lambda _: None)
    blueprint = replace(assembly, settings=settings).blueprint(images, new_run_id())
    with DockerPlatform(blueprint, Recorder(), lambda _: None) as running:
        assert running.await_steady(30.0)
        # The worker of before the last reload takes connections for 0.1 s more, and then ends them;
        # nginx tells nobody when that is over.
        running.grounds.wait_until(lambda: False, 0.5)
        yield running, assembly.golden


def callers(platform: tuple[DockerPlatform, Path], id_prefix: str) -> Plan:
    """A plan of callers at the balancer."""
    return Plan(platform[0].address, 50.0, "constant", 1, 2.0, id_prefix, platform[1], "defects")


def test_slow_readers_at_the_balancer(platform: tuple[DockerPlatform, Path]) -> None:
    """It sends the headers of 16 answers and keeps their messages; healed, it keeps nobody."""
    few = {"connections": 4, "streams": 4}  # within the balancer's limit of calls in flight
    fault = slow_readers(platform[0].balancer, callers(platform, "slow-"), **few)
    injection = Injection.of(fault, "test", platform[0].replicas(), Recorder())
    with injection.hold():
        (beside,) = call(callers(platform, "beside-"), 2.0)
        assert beside.is_correct
    record = injection.record

    assert record.proof.effect[0].measured == 16
    assert record.proof.restored[0].measured == 0
    assert record.proof.complete


def test_a_retry_storm_at_the_balancer(platform: tuple[DockerPlatform, Path]) -> None:
    """Callers who wait 1 ms for an answer make several attempts a call, until they are gone."""
    fault = retry_storm(platform[0].balancer, callers(platform, "storm-"))
    injection = Injection.of(fault, "test", platform[0].replicas(), Recorder())
    with injection.hold():
        pass
    record = injection.record

    assert record.proof.effect[0].measured is not None
    assert record.proof.effect[0].measured >= 3
    assert record.proof.restored[0].proven
