"""What all containers of a run stand on: the claim, the network, the recorder, the way to fail."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import engine
from harness.errors import MayflyError, PlatformError
from harness.journal import Journal
from harness.platforms import ownership
from harness.platforms.containers import Spec, engine_errors
from harness.platforms.network import Network
from harness.reaper import Reaper
from harness.recorder import Recorder
from harness.service import Artifact
from harness.settings import ModelSource, Settings

_REMOVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Variant:
    """An image of the service under test, and where the model comes from that it serves."""

    image: str
    model: ModelSource | None  # None: nobody here knows
    environment: Mapping[str, str] = field(default_factory=dict)  # in place of the service's own


@dataclass(frozen=True, slots=True)
class Blueprint:
    """All that a platform is made from."""

    settings: Settings
    images: Mapping[str, str]  # recipe name to tag; "service" is the service under test
    artifact: Artifact | None
    golden: Path
    tolerance: float
    run_id: str
    model: ModelSource | None = None  # where replicas have theirs from
    build: Callable[[ModelSource], str] | None = None  # an image with the other; returns its tag

    def variant(self, model: ModelSource | None = None) -> Variant:
        """The image whose model comes from there, built where it is missing.

        Without an argument the one that all replicas start from. Raises PlatformError where the
        service is not built here, or has no artifact.
        """
        if model in (None, self.model):
            return Variant(self.images["service"], self.model)
        if self.build is None:
            raise PlatformError(
                f"expected service.build and service.artifact in resilience.toml, to build an "
                f"image with the model {model}, found one of them missing; add it, or leave out "
                "what compares the two"
            )
        return Variant(self.build(model), model)


class Grounds:
    """Claims the run's name on the engine, and makes its network."""

    def __init__(self, blueprint: Blueprint, recorder: Recorder) -> None:
        self.blueprint = blueprint
        self.settings = blueprint.settings
        self.recorder = recorder
        self.client = engine.connect()
        self._failure: MayflyError | None = None
        self._changed = threading.Condition()
        self._ownership = ownership.Ownership(blueprint.run_id)
        self._reaper = Reaper(blueprint.run_id)
        self.journal = Journal(self._ownership.journal)
        try:
            self.network = Network(
                self.client, f"{blueprint.run_id}-network", self._ownership.labels("network")
            )
        except BaseException:
            self._ownership.close()
            self._reaper.dismiss()
            raise

    def spec(self, name: str, role: str, port_map: Mapping[int, int | None], image: str) -> Spec:
        """The beginnings of a container: named, labelled, addressed."""
        return Spec(
            name=name,
            image=image,
            labels=self._ownership.labels(role),
            network=self.network.name,
            address=self.network.address(),
            ports=port_map,
        )

    def volume(self, name: str) -> str:
        """A new volume of this run."""
        full = f"{self.blueprint.run_id}-{name}"
        self.client.volumes.create(full, labels=self._ownership.labels("volume"))
        return full

    def folder(self, name: str) -> Path:
        """A new folder on this machine that containers of this run may look into."""
        return self._ownership.folder(name)

    def fail(self, error: MayflyError) -> None:
        """Note that the platform cannot go on; whoever waits is told. The first error counts."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def check(self) -> None:
        """Raise what made the platform fail, if it did."""
        if self._failure is not None:
            raise self._failure

    def changed(self) -> None:
        """Wake whoever waits for something to become true."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, true: Callable[[], bool], timeout_s: float) -> bool:
        """Whether it became true in time. Raises what made the platform fail meanwhile."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not true():
                self.check()
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(min(left_s, 0.25))
        self.check()
        return True

    def close(self) -> list[ownership.Leftover]:
        """Remove all that the run made; returns what resisted."""
        run_id = self.blueprint.run_id
        with engine_errors("removing what the run made"):
            ownership.remove(self.client, run_id)
            deadline_s = time.monotonic() + _REMOVAL_S
            # The engine may still be at removing what it was told to remove.
            while left := ownership.belongings(self.client, run_id):
                if time.monotonic() > deadline_s:
                    return left
                self._changed_or_soon()
        self._ownership.close()
        self._reaper.dismiss()
        self.client.close()
        return left

    def _changed_or_soon(self) -> None:
        with self._changed:
            self._changed.wait(0.1)
