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
    """A platform with one replica and no limit of calls in flight, and its golden file."""
    assembly = Assembly.of(PROJECT / "resilience.toml")
    platform = assembly.settings.platform
    unlimited = msgspec.structs.replace(platform.balancer, max_in_flight_per_replica=0)
    smaller = msgspec.structs.replace(platform, replicas=1, balancer=unlimited)
    settings = msgspec.structs.replace(assembly.settings, platform=smaller)
    images = assembly.images(lambda _: None)
    blueprint = replace(assembly, settings=settings).blueprint(images, new_run_id())
    with DockerPlatform(blueprint, Recorder(), lambda _: None) as running:
        assert running.await_steady(30.0)
        yield running, assembly.golden


def callers(platform: tuple[DockerPlatform, Path], id_prefix: str) -> Plan:
    """A plan of callers at the balancer."""
    return Plan(platform[0].address, 50.0, "constant", 1, 2.0, id_prefix, platform[1], "defects")


def test_slow_readers_at_the_balancer(platform: tuple[DockerPlatform, Path]) -> None:
    """It sends the headers of 100 answers and keeps their messages; healed, it keeps nobody."""
    fault = slow_readers(platform[0].balancer, callers(platform, "slow-"))
    injection = Injection.of(fault, "test", platform[0].replicas(), Recorder())
    with injection.hold():
        (beside,) = call(callers(platform, "beside-"), 2.0)
        assert beside.is_correct
    record = injection.record

    assert record.proof.effect[0].measured == 100
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
