"""Backing services and the proxied paths to them, without replicas: enough for storage faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness import engine
from harness.assembly import Assembly
from harness.directories import new_run_id
from harness.fault import Injection, Planned
from harness.images import build
from harness.platform import Target
from harness.platforms.backing_services import BackingServices
from harness.platforms.grounds import Grounds
from harness.platforms.storage_path import StoragePath
from harness.platforms.storage_paths import StoragePaths
from harness.recorder import Recorder
from tests.docker.workplace import PROJECT

SERVICES = ("database", "cache", "store")


@dataclass(frozen=True, slots=True)
class StorageGround:
    """What a storage fault needs, and nothing else."""

    grounds: Grounds
    backing: BackingServices
    paths: StoragePaths

    def injection(self, planned: Planned, patience_s: float | None = None) -> Injection:
        """One with every other path and every service itself as bystanders, as in an experiment."""
        targeted = {target.name for target in planned.targets}
        bystanders: list[Target] = [*self.backing.targets(), *self.paths.undisturbed()]
        subject = Injection.of(
            planned,
            "storage",
            [each for each in bystanders if each.name not in targeted],
            self.grounds.recorder,
            self.grounds.check,
            self.grounds.journal,
        )
        subject.patience_s = patience_s
        return subject

    def path(self, service: str) -> StoragePath:
        """The proxied path to a service."""
        return self.paths.path(service)


@contextmanager
def storage_ground() -> Iterator[StorageGround]:
    """Started, and removed again whatever happens."""
    assembly = Assembly.of(PROJECT / "resilience.toml")
    client = engine.connect()
    try:
        recipes = [build.BACKING[name] for name in (*SERVICES, "proxy")]
        images = build.ensure(client, recipes, assembly.settings.platform.base_image, _silent)
    finally:
        client.close()
    # Replicas take their helper's image from here; nobody starts one.
    blueprint = assembly.blueprint({**images, "balancer": "unused"}, new_run_id())
    grounds = Grounds(blueprint, Recorder())
    paths: StoragePaths | None = None
    try:
        services = BackingServices(grounds)
        paths = StoragePaths(grounds, services)
        services.start()
        paths.start()
        yield StorageGround(grounds, services, paths)
    finally:
        if paths is not None:
            paths.close()
        left = grounds.close()
    assert left == []


def _silent(_what: str) -> None:
    pass
