"""What a scenario has done so far, gathered into its history."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from harness.history import FaultRecord, History, Window, join
from harness.load import Loaded
from harness.platforms.docker import DockerPlatform
from harness.recorder import Recorder


@dataclass(slots=True)
class Chronicle:
    """Windows and faults as they end, and one history for each load that was offered."""

    scenario: str
    recorder: Recorder
    _windows: list[Window] = field(default_factory=list)
    _faults: list[FaultRecord] = field(default_factory=list)
    _histories: list[History] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)

    @contextmanager
    def window(self, kind: str, name: str) -> Iterator[None]:
        """Note the time that the block takes as a window."""
        began_s = time.monotonic()
        try:
            yield
        finally:
            self._windows.append(Window(kind, name, began_s, time.monotonic()))

    def fault(self, record: FaultRecord) -> None:
        """Note a fault that is over; it has a window where it was shown to take effect."""
        self._faults.append(record)
        if record.effect_s is not None:
            ended_s = record.restored_s or time.monotonic()
            self._windows.append(Window("fault", record.name, record.injected_s, ended_s))

    def load(self, loaded: Loaded, prefix: str, began_s: float, platform: DockerPlatform) -> None:
        """Gather what everybody says of a load that has ended."""
        ended_s = time.monotonic()
        self.recorder.event("scenario.ended", self.scenario, time_s=ended_s)
        self._histories.append(
            History(
                scenario=self.scenario,
                began_s=began_s,
                ended_s=ended_s,
                requests=loaded.requests,
                attempts=loaded.attempts,
                access=platform.access(began_s, ended_s),
                records=platform.records(prefix, ended_s),
                usage=self.recorder.usage_between(began_s, ended_s),
                events=self.recorder.events(ended_s),
                windows=tuple(self._windows),
                faults=tuple(self._faults),
                generators=(loaded.generator,),
            )
        )
        self._windows.clear()
        self._faults.clear()

    def history(self) -> History:
        """What happened in the scenario. Complete once the load has ended."""
        windows, faults = tuple(self._windows), tuple(self._faults)
        if self._histories:
            joined = join(tuple(self._histories), self.scenario)
            return replace(joined, windows=joined.windows + windows, faults=joined.faults + faults)
        now_s = time.monotonic()
        events = self.recorder.events(now_s)
        return History(
            self.scenario, self._began_s, now_s, windows=windows, faults=faults, events=events
        )
