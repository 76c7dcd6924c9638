"""The Docker platform keeps its promises: hardened, private, replaced, apart from other runs."""

import json
from collections.abc import Iterator
from dataclasses import replace

import docker
import grpc
import msgspec
import pytest

from harness.assembly import Assembly
from harness.directories import new_run_id
from harness.fleet import lives
from harness.load.oip import METHOD, Workload
from harness.platforms.docker import DockerPlatform
from harness.platforms.ownership import ROLE, RUN
from harness.recorder import Recorder
from tests.docker.workplace import PROJECT, belongings

_RETRYING = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.5s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)


def _platform(replicas: int) -> tuple[DockerPlatform, Recorder, str]:
    assembly = Assembly.of(PROJECT / "resilience.toml")
    smaller = msgspec.structs.replace(assembly.settings.platform, replicas=replicas)
    settings = msgspec.structs.replace(assembly.settings, platform=smaller)
    blueprint = replace(assembly, settings=settings).blueprint(
        assembly.images(_silent), run_id := new_run_id()
    )
    recorder = Recorder()
    return DockerPlatform(blueprint, recorder, _silent), recorder, run_id


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[DockerPlatform, Recorder, str]]:
    """A platform with two replicas."""
    platform, recorder, run_id = _platform(2)
    with platform:
        yield platform, recorder, run_id


def _silent(_what: str) -> None:
    pass


def _inspected(
    client: docker.DockerClient, run_id: str
) -> list[docker.models.containers.Container]:
    return client.containers.list(all=True, filters={"label": f"{RUN}={run_id}"})


def test_containers_have_no_more_rights_than_they_need(
    running: tuple[DockerPlatform, Recorder, str], client: docker.DockerClient
) -> None:
    """Read-only root, no capabilities, no way to gain any, no root, limits on replicas."""
    containers = _inspected(client, running[2])

    assert len(containers) == 7
    for each in containers:
        host = each.attrs["HostConfig"]
        assert host["ReadonlyRootfs"], each.name
        assert host["CapDrop"] == ["ALL"], each.name
        assert "no-new-privileges" in host["SecurityOpt"], each.name
        assert not host["Privileged"], each.name
        assert each.attrs["Config"]["User"] not in ("", "0", "root"), each.name
        assert host["Memory"] > 0, each.name
        if each.labels[ROLE] == "replica":
            assert host["CpuQuota"] == host["CpuPeriod"] == 10_000, each.name


def test_ports_are_published_on_loopback_only(
    running: tuple[DockerPlatform, Recorder, str], client: docker.DockerClient
) -> None:
    """Nobody from outside of this machine gets in."""
    bindings = [
        binding["HostIp"]
        for each in _inspected(client, running[2])
        for published in (each.attrs["NetworkSettings"]["Ports"] or {}).values()
        for binding in published or ()
    ]

    assert bindings
    assert set(bindings) == {"127.0.0.1"}


def test_secrets_stay_secret(
    running: tuple[DockerPlatform, Recorder, str], client: docker.DockerClient
) -> None:
    """No password of the run is in a log, in an event, in a condition, or in an image."""
    platform, recorder, run_id = running
    containers = _inspected(client, run_id)
    given = [entry.partition("=") for each in containers for entry in each.attrs["Config"]["Env"]]
    secret = {
        value
        for name, _, value in given
        if name.endswith(("PASSWORD", "SECRET_ACCESS_KEY")) and len(value) >= 16
    }
    written = b"".join(platform.logs().values()).decode(errors="replace")
    told = written + repr(recorder.events()) + repr(platform.conditions())
    images = {each.image.id for each in containers}
    baked = repr([client.images.get(image).attrs for image in images if image])

    assert len(secret) == 3
    assert not [each for each in secret if each in told or each in baked]


def test_a_dead_replica_is_replaced_by_a_new_identity(
    running: tuple[DockerPlatform, Recorder, str],
) -> None:
    """Another name, container and address; the balancer sends to it; the old log is kept."""
    platform, recorder, _ = running
    victim = platform.replicas()[0]

    victim.kill()

    assert platform.grounds.wait_until(victim.successor_is_ready, 20)
    assert platform.await_steady(20)
    fleet = lives(recorder.events())
    successor = next(life for life in fleet.values() if life.predecessor == victim.name)
    old = fleet[victim.name]
    assert old.exit_code == 137
    assert successor.address not in {life.address for life in fleet.values() if life != successor}
    assert successor.container != old.container
    assert victim.name not in {each.name for each in platform.replicas()}
    assert platform.logs()[victim.name]


def test_a_dead_fleet_answers_in_a_form_that_grpc_retries(
    running: tuple[DockerPlatform, Recorder, str],
) -> None:
    """Without a replica a plain caller gets UNAVAILABLE; gRPC's own retry gets through."""
    platform, _, run_id = running
    assembly = Assembly.of(PROJECT / "resilience.toml")
    workload = Workload.load(assembly.golden, assembly.settings.service.model, 0, 1e-5)
    for replica in platform.replicas():
        replica.kill()
    assert platform.grounds.wait_until(lambda: not platform.balancer_routes(), 10)

    with pytest.raises(grpc.RpcError) as refused:
        _call(platform, workload.body(0, f"{run_id}-plain"), ())
    answer = _call(
        platform,
        workload.body(0, f"{run_id}-retrying"),
        (("grpc.service_config", _RETRYING), ("grpc.enable_retries", 1)),
    )

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert refused.value.details() == "no replica could answer"
    assert workload.judge(0, f"{run_id}-retrying", answer).correct == 1
    assert platform.await_steady(20)


def test_runs_side_by_side_leave_each_other_alone(
    running: tuple[DockerPlatform, Recorder, str], client: docker.DockerClient
) -> None:
    """A second run comes and goes, and the first one has lost nothing."""
    platform, _, run_id = running
    before = belongings(client, run_id)
    identities = {each.name: each.identity() for each in platform.replicas()}

    other, _, other_id = _platform(1)
    with other:
        assert other.address != platform.address
        assert belongings(client, other_id)

    assert belongings(client, other_id) == []
    assert other.leaks == []
    assert belongings(client, run_id) == before
    assert {each.name: each.identity() for each in platform.replicas()} == identities


def _call(platform: DockerPlatform, body: bytes, options: tuple[tuple[str, object], ...]) -> bytes:
    with grpc.insecure_channel(platform.address, options=options) as channel:
        answer: bytes = channel.unary_unary(METHOD, _as_it_is, _as_it_is)(body, timeout=20)
        return answer


def _as_it_is(message: bytes) -> bytes:
    return message
