"""One backing service, kept usable as the provider of a managed one does it.

What dies is started again: the same container with its volume and its address. The first time at
once; lives that end soon after each other wait as replicas do (harness/control.py).
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from harness.control import BACKOFF_FORGIVEN_S, backoff_s
from harness.errors import MayflyError, PlatformError
from harness.platform import End
from harness.platforms import backing
from harness.platforms.containers import Container
from harness.platforms.grounds import Grounds
from harness.platforms.targets import ContainerTarget

_END_S = 10.0


class BackingService:
    """Its container, from the first start to the last. Thread-safe."""

    def __init__(self, kind: backing.Kind, grounds: Grounds, secrets: backing.Secrets) -> None:
        self._kind = kind
        self._grounds = grounds
        self._secrets = secrets
        image = grounds.blueprint.images[kind.name]
        self.container = Container(
            replace(
                grounds.spec(kind.name, kind.name, {kind.port: None}, image),
                alias=kind.name,
                environment=kind.environment(secrets),
                memory_mb=kind.memory_mb,
                volumes={grounds.volume(kind.name): kind.data} if kind.data else {},
            )
        )
        self._usable = -1  # the latest life in which it could be used
        self._usable_since_s = 0.0
        self._short_lives = 0
        self._closing = threading.Event()
        self._restarts: list[threading.Thread] = []

    def start(self) -> None:
        """Return when it can be used. Raises PlatformError where it cannot."""
        self._note("backing.ordered")
        self.container.start()
        if not self._become_usable():
            log = self.container.output(lines=8).decode(errors="replace")
            raise PlatformError(
                f"{self._kind.name} ended before it could be used; its last lines:\n{log}"
            )

    def is_usable(self) -> bool:
        """Whether it answered rightly since it was last started, and runs still."""
        lives = self.container.lives
        return self._usable == len(lives) - 1 and lives[-1].end is None

    def died(self, end: End) -> None:
        """It ended, as ``container`` knows by now: start it again, unless it never worked."""
        details = {"exit_code": end.exit_code}
        self._grounds.recorder.event("backing.died", self._kind.name, details, end.time_s)
        if self._usable < 0 or self._closing.is_set():
            return
        scale = self._grounds.settings.platform.time_scale
        worked = self._usable == len(self.container.lives) - 1
        worked_s = end.time_s - self._usable_since_s if worked else 0.0
        if worked_s >= BACKOFF_FORGIVEN_S * scale:
            self._short_lives = 0
        delay_s = backoff_s(self._short_lives, scale)
        self._short_lives += 1
        name = f"restart-{self._kind.name}"
        thread = threading.Thread(target=self._restart, args=(delay_s,), name=name, daemon=True)
        self._restarts.append(thread)
        thread.start()

    def target(self, life_number: int | None = None) -> ContainerTarget:
        """One of its lives as a target of faults: the latest unless told otherwise."""
        number = len(self.container.lives) - 1 if life_number is None else life_number
        return ContainerTarget(
            container=self.container,
            port=self._kind.port,
            knock=self._kind.knock,
            helper_image=self._grounds.blueprint.images["balancer"],
            find_successor=lambda: self._usable > number and self.is_usable(),
            find_lineage=lambda: self._lineage(number),
            life_number=number,
        )

    def close(self) -> None:
        """Start it no more; returns when no start is under way."""
        self._closing.set()
        for each in self._restarts:
            each.join(_END_S)

    def _lineage(self, number: int) -> Sequence[ContainerTarget]:
        return [self.target(each) for each in range(number, len(self.container.lives))]

    def _restart(self, delay_s: float) -> None:
        if self._closing.wait(delay_s):
            return
        self._note("backing.ordered")
        number = len(self.container.lives)
        try:
            self.container.restart()
            self._become_usable()  # if it ends first, that end has ordered the next start
        except MayflyError as error:
            ended = self.container.lives[number].end is not None
            if not ended and self.container.is_running() and not self._closing.is_set():
                self._grounds.fail(error)

    def _become_usable(self) -> bool:
        self._note("backing.started", image=self.container.spec.image)
        number = len(self.container.lives) - 1
        if not backing.await_usable(self._kind, self.container, self._closing):
            return False
        artifact = self._grounds.blueprint.artifact
        if self._kind.name == "store" and artifact is not None:
            backing.upload(self.container, self._secrets, artifact)
        self._usable_since_s = time.monotonic()
        self._usable = number
        self._note("backing.ready")
        self._grounds.changed()
        return True

    def _note(self, kind: str, **details: str) -> None:
        self._grounds.recorder.event(kind, self._kind.name, details)
