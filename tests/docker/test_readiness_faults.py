"""Corrupted readiness on real replicas: each injector's effect and restoration, in numbers."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest

from faults.containers import pause
from faults.readiness import (
    answer_garbage,
    answer_late,
    answer_ready,
    answer_unready,
    disagree,
    flap,
    hang_up,
)
from harness.assembly import Assembly
from harness.directories import new_run_id
from harness.errors import UnprovenError
from harness.fault import Injection, Planned
from harness.platform import Replica
from harness.platforms.docker import DockerPlatform
from harness.probes import ProbePath
from harness.recorder import Recorder
from tests.docker.workplace import PROJECT

_TIMEOUT_MS = 1000.0  # the probe's, in the settings below

INJECTORS: dict[str, Callable[[Replica], Planned]] = {
    "answer unready": answer_unready,
    "flap": lambda replica: flap(replica, period_s=0.8),
    "answer late": lambda replica: answer_late(replica, delay_s=1.2),
    "answer garbage": answer_garbage,
    "hang up": hang_up,
    "disagree": lambda replica: disagree(replica, live=False),
    "disagree the other way": lambda replica: disagree(replica, live=True),
}


@pytest.fixture(scope="module")
def platform() -> Iterator[DockerPlatform]:
    """Two replicas, probed five times a second."""
    assembly = Assembly.of(PROJECT / "resilience.toml")
    settings = assembly.settings
    probes = msgspec.structs.replace(settings.platform.probes, period_s=0.2)
    smaller = msgspec.structs.replace(settings.platform, replicas=2, probes=probes)
    settings = msgspec.structs.replace(settings, platform=smaller)
    blueprint = replace(assembly, settings=settings).blueprint(
        assembly.images(_silent), new_run_id()
    )
    with DockerPlatform(blueprint, Recorder(), _silent) as running:
        yield running
    assert running.leaks == []


def _silent(_what: str) -> None:
    pass


def injection(platform: DockerPlatform, planned: Planned) -> Injection:
    """With everything else as bystanders, as in an experiment."""
    targeted = {target.name for target in planned.targets}
    everything = (*platform.replicas(), platform.balancer, *platform.backing())
    return Injection.of(
        planned,
        "readiness",
        [each for each in everything if each.name not in targeted],
        platform.grounds.recorder,
        platform.grounds.check,
        platform.grounds.journal,
    )


@pytest.mark.parametrize("name", INJECTORS)
def test_effect_and_restoration(platform: DockerPlatform, name: str) -> None:
    """The probe is told what the fault says, the replica says otherwise, and then they agree."""
    under_way = injection(platform, INJECTORS[name](platform.replicas()[0]))

    with under_way.hold():
        pass

    assert under_way.record.proof.complete
    assert platform.await_steady(10)


def test_late_in_numbers(platform: DockerPlatform) -> None:
    """The probe waits for its whole time-out; before and after for some milliseconds."""
    under_way = injection(platform, answer_late(platform.replicas()[0], delay_s=1.2))

    with under_way.hold():
        pass

    proof = under_way.record.proof
    before_ms = proof.baseline[0].measured
    restored_ms = proof.restored[-1].measured
    assert before_ms is not None
    assert restored_ms is not None
    assert 0.95 * _TIMEOUT_MS <= (proof.effect[0].measured or 0.0) <= 1.5 * _TIMEOUT_MS
    assert restored_ms <= before_ms + 50


def test_flips_in_numbers(platform: DockerPlatform) -> None:
    """A period of 0.8 s has two flips, so 2.5 a second, give or take what a probe can miss."""
    under_way = injection(platform, flap(platform.replicas()[0], period_s=0.8))

    with under_way.hold():
        pass

    assert 1.25 <= (under_way.record.proof.effect[0].measured or 0.0) <= 3.75
    assert platform.await_steady(10)


def test_ready_while_frozen(platform: DockerPlatform) -> None:
    """A frozen replica that passes for ready stays in the balancer's list; thawed, it is well."""
    victim = platform.replicas()[0]
    with injection(platform, pause(victim)).hold():
        under_way = injection(platform, answer_ready(victim))
        with under_way.hold():
            assert platform.grounds.wait_until(victim.is_ready, 5)
            assert platform.grounds.wait_until(lambda: victim.name in platform.balancer_routes(), 5)

    assert under_way.record.effect_s is not None
    assert platform.await_steady(10)


@pytest.mark.parametrize("name", [*INJECTORS, "answer ready"])
def test_sabotaged(platform: DockerPlatform, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An injector that leads nobody astray is found out, whatever it claims."""
    monkeypatch.setattr(ProbePath, "lead", lambda _path, _way: None)
    plan = {**INJECTORS, "answer ready": answer_ready}[name]
    under_way = injection(platform, plan(platform.replicas()[0]))
    under_way.patience_s = 0.5

    with pytest.raises(UnprovenError, match="not shown to take effect"), under_way.hold():
        pass


def test_all_at_once(platform: DockerPlatform) -> None:
    """One fault may lie about all replicas; the balancer then has nobody, and soon all again."""
    with injection(platform, answer_unready(*platform.replicas())).hold():
        assert platform.grounds.wait_until(lambda: not platform.balancer_routes(), 5)

    assert platform.await_steady(10)
