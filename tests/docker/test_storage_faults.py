"""Storage faults on real services: effect and restoration in numbers, nothing taken on trust."""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import msgspec
import pytest

from faults import storage
from faults._storage_proofs import counted, remove_all
from harness.errors import FaultError, PlatformError, UnprovenError
from harness.fault import Injection, Planned
from harness.history import Proof
from harness.platforms.storage_link import Outcome
from harness.platforms.storage_path import StoragePath
from harness.platforms.storage_paths import LEASE_S, StoragePaths
from harness.proof import await_proof
from tests.docker.storage_ground import SERVICES, StorageGround, storage_ground

Plan = Callable[[StoragePath], Planned]

FAULTS: dict[str, Plan] = {
    "slow": lambda path: storage.slow(path, latency_ms=200),
    "slow with jitter": lambda path: storage.slow(path, latency_ms=60, jitter_ms=30),
    "slow for some": lambda path: storage.slow(path, latency_ms=60, share=0.5),
    "slow at times": lambda path: storage.slow(path, latency_ms=40, share=0.5, per="chunk"),
    "throttle": lambda path: storage.throttle(path, rate_kbps=400),
    "refuse": storage.refuse,
    "reset": storage.reset,
    "black hole": storage.black_hole,
    "black hole for answers": lambda path: storage.black_hole(path, "downstream"),
    "half open": storage.half_open,
    "cut": lambda path: storage.cut(path, after_bytes=20_000),
    "flip bits": lambda path: storage.flip_bits(path, flips_per_mb=50, seed=7),
}


@pytest.fixture(scope="module")
def ground() -> Iterator[StorageGround]:
    """Three services, and the proxied paths to them."""
    with storage_ground() as started:
        yield started


def _errors(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [each for inner in error.exceptions for each in _errors(inner)]
    return [error]


def _values(proofs: Sequence[Proof], what: str) -> list[float]:
    return [
        each.measured for each in proofs if what in each.statement and each.measured is not None
    ]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", FAULTS)
def test_effect_and_restoration(ground: StorageGround, name: str, service: str) -> None:
    """Each fault on each service takes effect and is undone, in numbers; nobody else is harmed."""
    path = ground.path(service)
    subject = ground.injection(FAULTS[name](path))

    with subject.hold():
        assert path.rules() != ""
        assert ground.paths.residue() == [f"{path.name}: {path.rules()}"]

    proof = subject.record.proof
    assert all(each.proven for each in (*proof.effect, *proof.bystander, *proof.restored))
    assert len(_values(proof.effect, path.name)) >= 1
    assert len(_values(proof.restored, path.name)) >= 1
    assert {f"{each}-path runs on undisturbed" for each in SERVICES if each != service} <= {
        each.statement for each in proof.bystander
    }
    assert ground.paths.residue() == []
    assert path.new_outcomes(3) == [Outcome.ANSWERED] * 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_delay_of_200_ms(ground: StorageGround, service: str) -> None:
    """It raises round trips by 180 to 260 ms, and they are back within 20 ms of the baseline."""
    path = ground.path(service)
    subject = ground.injection(storage.slow(path, latency_ms=200))

    with path.kept() as (link,):
        before_ms = link.round_trip_ms()
        with subject.hold():
            during_ms = link.round_trip_ms()
        after_ms = link.round_trip_ms()

    assert 180 <= during_ms - before_ms <= 260
    assert abs(after_ms - before_ms) <= 20
    proof = subject.record.proof
    for kind in ("kept", "new"):
        (before,) = _values(proof.baseline, f"a {kind} connection")
        (during,) = _values(proof.effect, f"a {kind} connection")
        (after,) = _values(proof.restored, f"a {kind} connection")
        assert 180 <= during - before <= 260
        assert after - before <= 20


@pytest.mark.parametrize("name", FAULTS)
def test_a_sabotaged_injector_is_unproven(
    ground: StorageGround, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """An injector that does nothing is found out: the scenario is inconclusive, never held."""
    monkeypatch.setattr(StoragePath, "add", lambda *_args, **_attributes: "nothing")
    monkeypatch.setattr(StoragePath, "disable", lambda _path: None)
    path = ground.path("cache")
    subject = ground.injection(FAULTS[name](path), patience_s=0.5)

    with pytest.raises(UnprovenError, match="not shown to take effect") as raised:
        subject.hold().__enter__()

    assert all(isinstance(each, UnprovenError) for each in _errors(raised.value))
    assert subject.record.effect_s is None
    assert ground.paths.residue() == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_heal_that_does_nothing_is_unproven(
    ground: StorageGround, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A rule that stays in force is found out as well, and can be told as residue."""
    path = ground.path("cache")
    subject = ground.injection(FAULTS[name](path), patience_s=5.0)
    context = subject.hold()
    context.__enter__()
    monkeypatch.setattr(StoragePath, "remove", lambda _path, _name: None)
    monkeypatch.setattr(StoragePath, "enable", lambda _path: None)
    subject.patience_s = 0.5
    try:
        with pytest.raises(UnprovenError, match="not shown to heal"):
            context.__exit__(None, None, None)
        assert len(ground.paths.residue()) == 1
    finally:
        path.clear()
    assert ground.paths.residue() == []


def test_every_rule_is_taken_back(ground: StorageGround, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one rule cannot be removed the others are removed all the same, and it is told."""
    path = ground.path("cache")
    rules = [path.add("latency", latency=1), path.add("latency", latency=2)]
    remove = StoragePath.remove

    def stubborn(self: StoragePath, name: str) -> None:
        if name == rules[0]:
            raise FaultError("it stays")
        remove(self, name)

    monkeypatch.setattr(StoragePath, "remove", stubborn)
    try:
        with pytest.raises(FaultError, match="it stays"):
            remove_all(path, rules)
        assert (rules[0] in path.rules(), rules[1] in path.rules()) == (True, False)
    finally:
        path.clear()


@pytest.mark.parametrize(("touched", "checks"), [(None, 0), (0, 1), (3, 1)])
def test_a_proxy_that_does_not_count(
    ground: StorageGround, monkeypatch: pytest.MonkeyPatch, touched: int | None, checks: int
) -> None:
    """What it does not tell is no proof; what it tells is one, unless nothing met the rule."""
    monkeypatch.setattr(StoragePath, "touched", lambda _path, _rule: touched)

    checked = [replace(each, within_s=0) for each in counted(ground.path("cache"), "x")]
    proofs = [await_proof(each, lambda: None) for each in checked]

    assert [each.proven for each in proofs] == [touched == 3] * checks


def test_two_faults_of_one_path(ground: StorageGround) -> None:
    """Each is proven on top of the other, and healing one leaves the other in force."""
    path = ground.path("database")
    with path.kept() as (link,):
        plain_ms = link.round_trip_ms()
        with ground.injection(storage.slow(path, latency_ms=50)).hold():
            with ground.injection(storage.slow(path, latency_ms=100)).hold():
                assert link.round_trip_ms() >= plain_ms + 145
            assert plain_ms + 45 <= link.round_trip_ms() <= plain_ms + 90
        assert link.round_trip_ms() <= plain_ms + 20


def test_two_faults_of_two_paths(ground: StorageGround) -> None:
    """A disturbed path is nobody's bystander, and the third one is unharmed by both."""
    cache, store = ground.path("cache"), ground.path("store")
    first = ground.injection(storage.black_hole(cache))
    with first.hold():
        second = ground.injection(storage.refuse(store))
        with second.hold():
            assert cache.new_outcome(0.5) is Outcome.SILENT
            assert store.new_outcome(0.5) is Outcome.REFUSED
            assert ground.path("database").new_outcome(0.5) is Outcome.ANSWERED
        assert cache.new_outcome(0.5) is Outcome.SILENT
    names = {proof.statement for proof in second.record.proof.bystander}
    assert "database-path runs on undisturbed" in names
    assert "cache-path runs on undisturbed" not in names


def test_a_rule_on_a_bystander_is_seen(ground: StorageGround) -> None:
    """A fault that harms another path than its own is not taken for proven."""
    path, other = ground.path("cache"), ground.path("store")
    subject = ground.injection(storage.slow(path, latency_ms=30), patience_s=0.5)
    harm = _add_to_both(other)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoragePath, "add", harm)
        with pytest.raises(UnprovenError, match=r"spare its bystanders.*store-path runs on"):
            subject.hold().__enter__()
    other.clear()

    assert ground.paths.residue() == []


def _add_to_both(other: StoragePath) -> Callable[..., str]:
    add = StoragePath.add

    def harm(self: StoragePath, *args: str, **attributes: int) -> str:
        add(other, "latency", latency=1)
        return add(self, *args, **attributes)  # type: ignore[arg-type]

    return harm


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (
            lambda path: storage.slow(path, latency_ms=0),
            "latency_ms to be a number from 1 to 30000",
        ),
        (lambda path: storage.slow(path, 50, jitter_ms=-1), "jitter_ms to be a number from 0"),
        (lambda path: storage.slow(path, 50, jitter_ms=26), "at most half of latency_ms, 25 ms"),
        (lambda path: storage.slow(path, 50, share=0), "share to be a number from 0.01 to 1"),
        (lambda path: storage.slow(path, float("nan")), "found nan"),
        (lambda path: storage.throttle(path, rate_kbps=0), "rate_kbps to be a number from 1 to"),
        (lambda path: storage.cut(path, after_bytes=-1), "after_bytes to be a number from 0 to"),
        (lambda path: storage.flip_bits(path, probability=2), "probability to be a number from"),
        (lambda path: storage.slow(path, "200"), "found '200'"),
    ],
)
def test_a_parameter_that_cannot_be_meant(ground: StorageGround, plan: Plan, told: str) -> None:
    """It is an error when the fault is planned, which says what was expected and what was found."""
    with pytest.raises(FaultError, match=told):
        plan(ground.path("cache"))


def test_a_limit_above_what_there_is(ground: StorageGround) -> None:
    """A limit that could not be seen makes the scenario inconclusive; nothing is injected."""
    subject = ground.injection(storage.throttle(ground.path("cache"), rate_kbps=1_000_000))

    with pytest.raises(UnprovenError, match="twice as fast as 1e\\+06 KB/s"):
        subject.hold().__enter__()

    assert ground.paths.residue() == []


def test_an_unknown_service(ground: StorageGround) -> None:
    """A path that does not exist is an error which names those that do."""
    with pytest.raises(FaultError, match="'queue', found cache, database, store"):
        ground.path("queue")


def test_the_direct_way(ground: StorageGround) -> None:
    """Where the settings say so no proxy stands between; a fault of a path is an error then."""
    settings = ground.grounds.settings
    platform = msgspec.structs.replace(settings.platform, storage_path="direct")
    elsewhere = copy.copy(ground.grounds)
    elsewhere.settings = msgspec.structs.replace(settings, platform=platform)
    direct = StoragePaths(elsewhere, ground.backing)

    direct.start()

    assert (direct.host, direct.undisturbed(), direct.residue()) == (None, [], [])
    assert "@database:5432/" in ground.backing.placeholders(direct.host)["database_url"]
    assert "@proxy:5432/" in ground.backing.placeholders(ground.paths.host)["database_url"]
    with pytest.raises(FaultError, match='found none; set storage_path = "proxied"'):
        direct.path("database")


def test_without_a_heartbeat_the_lease_runs_out(ground: StorageGround) -> None:
    """When nobody controls the proxy any more its rules vanish; it goes on passing data."""
    path = ground.path("cache")
    subject: Injection = ground.injection(storage.slow(path, latency_ms=100))
    with subject.hold():
        ground.paths.stop_beating()
        began_s = time.monotonic()
        with path.kept() as (link,):
            assert link.round_trip_ms(1) >= 90
            while (
                link.round_trip_ms(1) >= 90
            ):  # a real exchange each: no request to the control API
                assert time.monotonic() - began_s < LEASE_S + 3
        assert time.monotonic() - began_s >= LEASE_S - 3
    assert ground.paths.residue() == []


def test_a_lost_proxy_fails_the_run(ground: StorageGround) -> None:
    """Nothing that follows would prove anything, so the run ends with one clear error."""
    path = ground.path("cache")
    ground.grounds.check()

    path.container.kill()
    assert ground.paths.died("proxy")

    with pytest.raises(PlatformError, match="the storage proxy is lost: its container ended"):
        ground.grounds.check()
