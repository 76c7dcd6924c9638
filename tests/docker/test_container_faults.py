"""Each fault of containers, on real ones: its effect and its restoration in numbers."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import docker
import msgspec
import obstore
import pytest

from faults.containers import crash_loop, kill, kill_child, pause, stop
from harness.assembly import Assembly
from harness.directories import new_run_id
from harness.errors import FaultError, UnprovenError
from harness.fault import Injection, Planned
from harness.history import FaultRecord, Proof
from harness.platforms import backing
from harness.platforms.child_processes import ChildProcesses
from harness.platforms.docker import DockerPlatform
from harness.platforms.targets import ContainerTarget
from harness.recorder import Recorder
from harness.service import ARTIFACT_FILES
from tests.docker.workplace import PROJECT, belongings

EVERY_KIND = ("replica", "balancer", "cache", "database", "store")


@dataclass(frozen=True, slots=True)
class Running:
    """A platform with two replicas, and what it records."""

    platform: DockerPlatform
    recorder: Recorder

    def target(self, kind: str) -> ContainerTarget:
        """The one of that kind that is there now."""
        if kind == "replica":
            return self.platform.replicas()[0]
        everything = (self.platform.balancer, *self.platform.backing())
        return next(each for each in everything if each.name.startswith(kind))

    def injection(self, planned: Planned, *also: Planned) -> Injection:
        """Of a fault that is about to begin; whatever no fault aims at has to come to no harm."""
        targeted = {target.name for each in (planned, *also) for target in each.targets}
        everything: Sequence[ContainerTarget] = (
            *self.platform.replicas(),
            self.platform.balancer,
            *self.platform.backing(),
        )
        bystanders = [each for each in everything if each.name not in targeted]
        return Injection.of(planned, "story", bystanders, self.recorder, self.platform.check)

    def carry_out(self, planned: Planned) -> FaultRecord:
        """Inject, prove, heal, prove; the platform is itself again afterwards."""
        injection = self.injection(planned)
        with injection.hold():
            pass
        assert self.platform.await_steady(20)
        return injection.record


@pytest.fixture(scope="module")
def running(client: docker.DockerClient) -> Iterator[Running]:
    """One platform for all; closed in the middle of a restart, it leaves nothing behind."""
    assembly = Assembly.of(PROJECT / "resilience.toml")
    smaller = msgspec.structs.replace(assembly.settings.platform, replicas=2)
    settings = msgspec.structs.replace(assembly.settings, platform=smaller)
    blueprint = replace(assembly, settings=settings).blueprint(
        assembly.images(_silent), run_id := new_run_id()
    )
    recorder = Recorder()
    with DockerPlatform(blueprint, recorder, _silent) as platform:
        yield Running(platform, recorder)
        for each in platform.backing():
            each.kill()
    closed = len(recorder.events())

    assert platform.leaks == []
    assert belongings(client, run_id) == []
    assert len(recorder.events()) == closed


def _silent(_what: str) -> None:
    pass


def _number(proofs: Sequence[Proof], what: str) -> float:
    """What was measured by the one proof whose statement has these words."""
    found = [each.measured for each in proofs if what in each.statement]
    assert len(found) == 1, proofs
    assert found[0] is not None
    return found[0]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_kill(running: Running, kind: str) -> None:
    """It dies of SIGKILL, its port is closed, and another process answers in its place."""
    target = running.target(kind)
    before = target.identity()

    record = running.carry_out(kill(target))

    end = target.end()
    assert end is not None
    assert end.exit_code == 137
    assert end.time_s >= record.injected_s
    assert not target.answers()
    successor = target.lineage()[-1]
    assert successor.identity() != before
    assert successor.round_trip_ms(1.0) < 1000.0
    assert record.restored_s is not None
    assert record.restored_s - end.time_s < 15.0


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_stop(running: Running, kind: str) -> None:
    """Asked to end it does so in its grace; the proofs tell after how long, and with which code."""
    target = running.target(kind)

    record = running.carry_out(stop(target, grace_s=10))

    assert _number(record.proof.effect, "exit code") == 0.0
    assert 0.0 < _number(record.proof.effect, "seconds from the stop signal") < 10.0
    assert "not SIGKILLed: exit code 0" in record.proof.effect[-1].seen
    assert target.lineage()[-1].round_trip_ms(1.0) < 1000.0


def test_stop_of_what_does_not_end(running: Running) -> None:
    """Who does not heed the signal is SIGKILLed at the end of the grace, and the proof says so."""
    target = running.target("cache")
    target.container.kill("SIGSTOP")  # it can be asked, and cannot do anything about it

    record = running.carry_out(stop(target, grace_s=1))

    assert _number(record.proof.effect, "exit code") == 137.0
    assert 0.5 <= _number(record.proof.effect, "seconds from the stop signal") < 4.0
    assert record.proof.effect[-1].seen.startswith("SIGKILLed after")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_pause(running: Running, kind: str) -> None:
    """Connections are accepted, no question is answered; thawed, it answers as before."""
    target = running.target(kind)
    before = target.identity()
    injection = running.injection(pause(target))

    with injection.hold():
        assert target.answers()  # the kernel accepts for it: that proves nothing
        assert target.is_running()
        with pytest.raises(TimeoutError):
            target.round_trip_ms(0.2)

    baseline_ms = _number(injection.record.proof.baseline, "round trip")
    assert baseline_ms < 250.0
    assert _number(injection.record.proof.effect, "owes an answer") >= 300.0
    assert _number(injection.record.proof.restored, "round trip") <= baseline_ms + 50.0
    assert target.identity() == before
    assert running.platform.await_steady(20)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_crash_loop(running: Running, kind: str) -> None:
    """It dies again and again, each time as another process; healed, it outlives what killed it."""
    target = running.target(kind)

    record = running.carry_out(crash_loop(target, after_s=0.3))

    dead, alive = target.lineage()[:-1], target.lineage()[-1]
    lived_s = [end.time_s - (each.started_s() or 0.0) for each in dead if (end := each.end())]
    assert _number(record.proof.effect, "deaths") >= 2.0
    assert len(lived_s) == len(dead) >= 2
    assert all(0.2 < each_s < 1.4 for each_s in lived_s[1:])  # the first had lived before
    assert _number(record.proof.restored, "has run") >= 1.3
    assert alive.end() is None


def test_restarts_of_a_backing_service_back_off(running: Running) -> None:
    """What dies again and again waits twice as long each time, as a replica would."""
    began = len(running.recorder.events())

    with running.injection(crash_loop(running.target("cache"), after_s=0.1)).hold():
        assert running.platform.grounds.wait_until(lambda: len(_waits_s(running, began)) >= 4, 20)

    waits_s = _waits_s(running, began)[:4]
    for earlier_s, later_s in pairwise(waits_s[1:]):
        assert later_s == pytest.approx(2 * earlier_s, rel=0.3)
    assert running.platform.await_steady(20)


def _waits_s(running: Running, began: int) -> list[float]:
    """From each death of the cache to the order to start it again."""
    events = [each for each in running.recorder.events()[began:] if each.subject == "cache"]
    died_s = [each.time_s for each in events if each.kind == "backing.died"]
    ordered_s = [each.time_s for each in events if each.kind == "backing.ordered"]
    return [later - earlier for earlier, later in zip(died_s, ordered_s, strict=False)]


@pytest.mark.parametrize("kind", ["balancer", "database"])
def test_kill_child(running: Running, kind: str) -> None:
    """A child is gone, the first process lives on and makes another one; it answers as before."""
    target = running.target(kind)
    before = target.identity()
    with target.children() as children:
        had = children.running()

    record = running.carry_out(kill_child(target))

    killed = min(had, key=lambda pid: (int(had[pid]), pid))
    assert f"process {killed} of" in record.proof.effect[0].statement
    with target.children() as children:
        assert killed not in children.running()
        assert children.running()
    assert target.identity() == before
    baseline_ms = _number(record.proof.baseline, "round trip")
    assert _number(record.proof.restored, "round trip") <= baseline_ms + 50.0
    assert running.platform.residue() == []


@pytest.mark.parametrize("kind", ["replica", "cache", "store"])
def test_kill_child_that_nobody_replaces(running: Running, kind: str) -> None:
    """Where the first process makes no other one, the child stays gone, and all else runs on."""
    target = running.target(kind)
    before = target.identity()
    # An orphan becomes a child of the first process, whatever that is.
    target.container.run("sh", "-c", "sleep 300 >/dev/null 2>&1 &")

    record = running.carry_out(kill_child(target))

    assert record.proof.effect[0].seen == "among 0 children of the first process"
    with target.children() as children:
        assert children.running() == {}
    assert target.identity() == before
    assert _number(record.proof.restored, "round trip") < 300.0


@pytest.mark.parametrize("kind", ["replica", "cache", "store"])
def test_kill_child_of_what_has_none(running: Running, kind: str) -> None:
    """Where there is only a first process, the fault says so, and leaves it alone."""
    target = running.target(kind)
    before = target.identity()

    injection = running.injection(kill_child(target))
    with pytest.raises(FaultError, match="found none"), injection.hold():
        pytest.fail("there was nothing to inject")

    assert target.identity() == before
    assert running.platform.residue() == []


def test_several_targets_at_once(running: Running) -> None:
    """All backing services die together; each is back with its address, and the fleet is spared."""
    targets = running.platform.backing()
    replicas = {each.name: each.identity() for each in running.platform.replicas()}

    record = running.carry_out(kill(*targets))

    assert [each.name for each in targets] == ["cache", "database", "store"]
    assert len(record.proof.effect) == 6
    assert {each.name: each.identity() for each in running.platform.replicas()} == replicas


def test_two_faults_compose(running: Running) -> None:
    """The database dies while the balancer is frozen; each is proven and healed on its own."""
    silent, lost = pause(running.target("balancer")), kill(running.target("database"))
    first, second = running.injection(silent, lost), running.injection(lost, silent)

    with first.hold(), second.hold():
        pass

    assert running.platform.await_steady(20)
    for each in (first.record, second.record):
        proofs = (*each.proof.effect, *each.proof.bystander, *each.proof.restored)
        assert len(proofs) >= 3
        assert all(proof.proven for proof in proofs)


def test_what_a_restart_keeps(running: Running) -> None:
    """The cache is empty again, the store holds the model, and records can be read at once."""
    platform = running.platform
    services = platform._backing
    cache, store = services.running()["cache"], services.running()["store"]
    artifact = platform.grounds.blueprint.artifact
    assert artifact is not None
    password = services.secrets.cache
    assert _redis(cache.published(6379), password, "SET kept yes") == b"+OK"
    database = running.target("database")

    running.carry_out(kill(running.target("cache"), running.target("store")))
    database.kill()
    records = platform.records("no-such-request")

    assert _redis(cache.published(6379), password, "GET kept") == b"$-1"
    objects = backing.client(store, services.secrets)
    for name in ARTIFACT_FILES:
        stored = bytes(obstore.get(objects, f"{artifact.digest}/{name}").bytes())
        assert stored == (artifact.folder / name).read_bytes()
    assert records is not None
    assert len(records) == 0
    assert database.successor_is_ready()


def _redis(port: int, password: str, command: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2.0) as link:
        answers = link.makefile("rb")
        link.sendall(f"AUTH {password}\r\n{command}\r\n".encode())
        assert answers.readline() == b"+OK\r\n"
        return answers.readline().rstrip()


@pytest.mark.parametrize(
    ("plan", "kind", "patch"),
    [
        pytest.param(kill, "replica", "kill", id="kill"),
        pytest.param(lambda each: stop(each, grace_s=1), "balancer", "stop", id="stop"),
        pytest.param(pause, "database", "pause", id="pause"),
        pytest.param(lambda each: crash_loop(each, after_s=0.1), "cache", "kill", id="crash loop"),
        pytest.param(kill_child, "balancer", None, id="kill child"),
    ],
)
def test_a_sabotaged_injector_is_found_out(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    plan: Callable[[ContainerTarget], Planned],
    kind: str,
    patch: str | None,
) -> None:
    """An injector that does nothing proves nothing: the scenario is inconclusive, not passed."""
    target = running.target(kind)
    before = target.identity()
    injection = running.injection(plan(target))
    injection.patience_s = 0.5
    if patch is None:
        monkeypatch.setattr(ChildProcesses, "kill", lambda *_: None)
    else:
        monkeypatch.setattr(target.container, patch, lambda *_: None)

    with _unproven(), injection.hold():
        pytest.fail("the fault was held, though nothing had happened")

    assert injection.record.effect_s is None
    assert not all(proof.proven for proof in injection.record.proof.effect)
    assert target.identity() == before


@contextmanager
def _unproven() -> Iterator[None]:
    """Everything that the block raises says that the effect was not shown, or the restoration."""
    with pytest.raises((UnprovenError, ExceptionGroup)) as raised:
        yield
    error = raised.value
    told = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
    assert all(isinstance(each, UnprovenError) for each in told)
    assert "was not shown to take effect" in str(told[0])


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (lambda each: stop(each, grace_s=0), "grace_s"),
        (lambda each: stop(each, grace_s=1.5), "grace_s"),
        (lambda each: stop(each, grace_s=float("nan")), "grace_s"),
        (lambda each: crash_loop(each, after_s=0.0), "after_s"),
        (lambda each: crash_loop(each, after_s=float("inf")), "after_s"),
        (lambda each: crash_loop(each, after_s=1.0, back_within_s=-1.0), "back_within_s"),
        (lambda _: kill(), "no target"),
        (lambda _: stop(), "no target"),
        (lambda _: pause(), "no target"),
    ],
)
def test_parameters_are_validated_when_a_fault_is_made(
    running: Running, plan: Callable[[ContainerTarget], Planned], told: str
) -> None:
    """What cannot be meant is refused before anything is disturbed, and the parameter is named."""
    with pytest.raises(FaultError, match=told):
        plan(running.target("cache"))


def test_residue_names_what_is_left(running: Running) -> None:
    """A frozen container and a changed limit are named, each with numbers; then nothing is."""
    frozen, changed = running.target("cache"), running.target("balancer")
    engine = running.platform.grounds.client.containers.get(changed.container.full_name)
    frozen.pause()
    engine.update(mem_limit="192m", memswap_limit="192m", cpu_quota=50_000)
    try:
        left = running.platform.residue()
    finally:
        frozen.resume()
        engine.update(mem_limit="128m", memswap_limit="128m", cpu_quota=-1)

    assert [each.partition(" ")[2] for each in left] == [
        "has 0.5 CPU, not no limit in CPU",
        "has 192 MB, not 128 MB",
        "is paused",
    ]
    assert running.platform.residue() == []
    assert {each.subject for each in frozen.resets()} == {frozen.container.full_name}
