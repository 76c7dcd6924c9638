"""The fleet grows and shrinks without loss, restarts what is not live, refuses what is too much."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import msgspec
import numpy as np
import pytest

from harness.assembly import Assembly, retry_policy
from harness.directories import new_run_id
from harness.fleet import lives
from harness.load.oip import METHOD, Workload
from harness.load.plan import Plan
from harness.load.process import LoadProcess
from harness.platforms.docker import DockerPlatform
from harness.recorder import Recorder
from harness.settings import Autoscaling, Balancer, Probes
from tests.docker.workplace import PROJECT

PROPAGATION_S = 0.5
LIVENESS = Probes(period_s=0.5, timeout_s=1.0, liveness_failures=4)
LIMIT = 20
RATE_RPS = 40.0  # with the balancer's time-out of 0.75 s never more in flight than two may have
QUICKLY = Autoscaling(
    target_in_flight=2.0, min_replicas=2, max_replicas=3, down_window_s=60.0, time_scale=0.01
)


@dataclass(frozen=True, slots=True)
class Running:
    """A platform with two replicas, and what it tells."""

    platform: DockerPlatform
    recorder: Recorder
    assembly: Assembly
    run_id: str

    def wait(self, true: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        """Whether it became true in time."""
        return self.platform.grounds.wait_until(true, timeout_s)

    def told(self, kind: str) -> list[str]:
        """Of whom the events of a kind tell."""
        return [event.subject for event in self.recorder.events() if event.kind == kind]

    def story(self) -> str:
        """What became of the replicas, for a failure's message."""
        return "\n".join(
            f"{event.time_s:.2f} {event.kind} {event.subject} {dict(event.details)}"
            for event in self.recorder.events()
            if event.kind.startswith(("replica.", "balancer."))
        )

    @contextmanager
    def load(self, rate_rps: float, folder: Path) -> Iterator[LoadProcess]:
        """Offered load, with the caller's policy that the contract counts on."""
        plan = Plan(
            address=self.platform.address,
            rate_rps=rate_rps,
            schedule="poisson",
            seed=1,
            deadline_s=2.0,
            id_prefix="scaling-",
            golden=self.assembly.golden,
            model_name=self.assembly.settings.service.model,
            retry=retry_policy(self.assembly.settings),
        )
        folder.mkdir(exist_ok=True)
        with LoadProcess.spawn(plan, folder) as load:
            load.begin()
            yield load


@pytest.fixture(scope="module")
def started() -> Iterator[Running]:
    """Quick to notice, quick to drain, and with room for 20 calls at each replica."""
    assembly = Assembly.of(PROJECT / "resilience.toml")
    settings = assembly.settings
    service = msgspec.structs.replace(
        settings.service,
        environment={**settings.service.environment, "PROPAGATION_S": str(PROPAGATION_S)},
    )
    platform = msgspec.structs.replace(
        settings.platform,
        replicas=2,
        probes=LIVENESS,
        balancer=Balancer(max_in_flight_per_replica=LIMIT),
    )
    assembly = replace(
        assembly, settings=msgspec.structs.replace(settings, service=service, platform=platform)
    )
    run_id, recorder = new_run_id(), Recorder()
    blueprint = assembly.blueprint(assembly.images(_silent), run_id)
    with DockerPlatform(blueprint, recorder, _silent) as platform_:
        yield Running(platform_, recorder, assembly, run_id)


@pytest.fixture
def running(started: Running) -> Running:
    """The same, with two replicas whatever an earlier test has left."""
    started.platform.scale(2)
    assert started.platform.await_steady(20), started.story()
    return started


def _silent(_what: str) -> None:
    pass


def test_scaled_under_load(running: Running, tmp_path: Path) -> None:
    """Two, three and again two replicas: no call is lost, and the third served some of them."""
    with running.load(RATE_RPS, tmp_path / "load") as load:
        running.platform.scale(3)
        assert running.platform.await_steady(20), running.story()
        added = running.platform.replicas()[-1]
        before = load.progress().sent
        assert running.wait(lambda: load.progress().sent > before + 60)
        running.platform.scale(2)
        assert running.platform.await_steady(20)
        assert running.wait(lambda: added.name in running.told("replica.died"))
        loaded = load.stop()

    fleet = lives(running.recorder.events())
    gone = fleet[added.name]
    assert np.count_nonzero(loaded.requests["status"]) == 0, running.story()
    assert added.name.encode() in loaded.requests["replica"]
    assert running.told("replica.stopping") == [added.name]
    assert (gone.exit_code, gone.predecessor) == (0, None)
    assert gone.unrouted_s is not None
    assert gone.died_s is not None
    assert gone.unrouted_s < gone.died_s
    assert all(life.predecessor != added.name for life in fleet.values())


def test_liveness(running: Running) -> None:
    """A replica that does not say four times in a row that it is live is killed and replaced."""
    victim = running.platform.replicas()[0]
    container = victim.container

    container.kill("SIGSTOP")

    assert running.wait(victim.successor_is_ready)
    assert running.platform.await_steady(20)
    assert running.told("replica.liveness_failed") == [victim.name]
    assert lives(running.recorder.events())[victim.name].exit_code == 137


def test_surge_of_calls_in_flight(running: Running) -> None:
    """Six calls that wait at two replicas make the autoscaler want a third, no more."""
    with _waiting_calls(running, 6):
        running.platform.autoscaling.begin(QUICKLY)
        grown = running.wait(lambda: running.platform.size == 3)
        running.platform.autoscaling.end()

    decided = [e for e in running.recorder.events() if e.kind == "autoscaler.decided"]
    first = next(event for event in decided if event.details["to"] != event.details["from"])
    assert grown
    assert (first.details["from"], first.details["to"]) == (2, 3)
    assert first.details["in_flight"] == 6.0
    assert first.details["per_replica"] == 3.0
    assert running.platform.await_steady(20)


def test_too_many_calls_in_flight(running: Running) -> None:
    """What exceeds the limit times the replicas is refused, typed, before and after reloads."""
    platform = running.platform
    workload = Workload.load(
        running.assembly.golden, running.assembly.settings.service.model, 0, 1e-5
    )
    body = workload.body(0, f"{running.run_id}-one-more")
    began_s = time.monotonic()
    busy, ok = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK
    seen: list[grpc.StatusCode] = []

    def one_more_ends_with(code: grpc.StatusCode) -> bool:
        seen.append(_code_of_one_more(platform, body))
        return seen[-1] is code

    with _waiting_calls(running, 2 * LIMIT):
        assert one_more_ends_with(busy)
        # For 0.1 s after a reload the old worker takes new connections too, with the old limit.
        platform.scale(3)
        assert platform.await_steady(20)
        assert running.wait(lambda: one_more_ends_with(ok), 1.0)
        platform.scale(2)
        assert platform.await_steady(20)
        assert running.wait(lambda: one_more_ends_with(busy), 1.0)
    assert running.wait(lambda: _in_flight(running) == 0)
    assert one_more_ends_with(ok)
    logged = platform.access(began_s, time.monotonic())

    assert set(seen) == {busy, ok}
    assert np.count_nonzero(logged["grpc_status"] == busy.value[0]) == seen.count(busy)


@contextmanager
def _waiting_calls(running: Running, number: int) -> Iterator[None]:
    """Calls in flight at the balancer while the block runs: they never end their request."""
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait()
        yield from ()

    with _channel(running.platform) as channel:
        calls = [
            channel.stream_unary(METHOD, _as_it_is, _as_it_is).future(nothing(), timeout=60)
            for _ in range(number)
        ]
        assert running.wait(lambda: _in_flight(running) == number), _in_flight(running)
        try:
            yield
        finally:
            ended.set()
            for call in calls:
                call.cancel()


def _in_flight(running: Running) -> int | None:
    return running.platform._balancer.in_flight()


def _channel(platform: DockerPlatform) -> grpc.Channel:
    """A connection of its own: channels to one address share one otherwise."""
    return grpc.insecure_channel(platform.address, [("grpc.use_local_subchannel_pool", 1)])


def _code_of_one_more(platform: DockerPlatform, body: bytes) -> grpc.StatusCode:
    """On a new connection: one from before a reload stays with the worker of the old limit."""
    with _channel(platform) as channel:
        try:
            channel.unary_unary(METHOD, _as_it_is, _as_it_is)(body, timeout=5)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def _as_it_is(message: bytes) -> bytes:
    return message
