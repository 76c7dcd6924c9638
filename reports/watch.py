"""``mayfly report RUN_DIR --watch``: the page of a run that goes on, renewed as it goes."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import ExitStatus, RunFormatError
from harness.run import Run, load
from harness.underway import is_going_on, told
from reports.beside import Beside, Underway
from reports.files import PAGE, write, write_page
from reports.page import render
from reports.underway import renewed, underway

_APPEARS_WITHIN_S = 600.0  # building images may take minutes, and comes before a run's directory
_SHARE = 0.1  # of the time may go into charts: on this machine a service is being measured


@dataclass(slots=True)
class Watch:
    """Follows one run to its end. It sends no event: ``wait`` and ``now_s`` are how time passes."""

    directory: Path
    every_s: float
    beside: Callable[[Run, Path], Beside]
    say: Callable[[str], object]
    wait: Callable[[float], object] = time.sleep
    now_s: Callable[[], float] = time.monotonic
    _seen: tuple[int, int] = (0, 0)  # the run.json that the page shows
    _page: str = ""
    _state: Underway | None = None
    _not_before_s: float = field(default=float("-inf"))

    def follow(self) -> int:
        """Return when the run is over, with the exit status: 7 where it did not finish."""
        try:
            if not self._appears():
                return ExitStatus.HARNESS_FAILED
            while is_going_on(self.directory):
                self._look()
                self.wait(self.every_s)
            return self._end()
        except KeyboardInterrupt:
            self._leave()
            return ExitStatus.ALL_HELD

    def _appears(self) -> bool:
        """Whether there is a run, now or soon; from then on it is that one, wherever links lead."""
        document = self.directory / "run.json"
        deadline_s = self.now_s() + _APPEARS_WITHIN_S
        if not document.exists():
            self.say(f"waiting for a run in {self.directory}")
        while not document.exists():
            if self.now_s() >= deadline_s:
                self.say(f"there is still no run in {self.directory}; start one, and ask again")
                return False
            self.wait(self.every_s)
        self.directory = self.directory.resolve()
        return True

    def _look(self) -> None:
        seen = _stamp(self.directory / "run.json")
        if seen != self._seen and self.now_s() >= self._not_before_s:
            self._make(seen)
        elif self._state is not None:
            now = replace(self._state, now=told(self.directory))
            if now != self._state:
                self._renew(now)

    def _make(self, seen: tuple[int, int]) -> None:
        """Make the whole page, and the less often, the longer that takes."""
        began_s = self.now_s()
        try:
            run = load(self.directory)
        except RunFormatError:
            return  # it is being saved: then there is a next look
        state = underway(run, self.directory, self.every_s)
        if state is None or not state.is_going_on:
            return  # it came to its end just now
        if not self._page:
            self.say(f"{self.directory / PAGE} is renewed every {self.every_s:g} s")
        self._page = render(run, replace(self.beside(run, self.directory), underway=state))
        self._seen, self._state = seen, state
        write_page(self._page, self.directory)
        ended_s = self.now_s()
        self._not_before_s = ended_s + (ended_s - began_s) * (1 / _SHARE - 1)

    def _renew(self, now: Underway) -> None:
        assert self._state is not None
        self._page, self._state = renewed(self._page, self._state, now), now
        write_page(self._page, self.directory)

    def _leave(self) -> None:
        """Nobody renews the page any more, so no browser needs to load it again."""
        if self._state is not None:
            self._renew(replace(self._state, refresh_s=None))

    def _end(self) -> int:
        self._state = None  # what is written now is the last page
        run = load(self.directory)
        write(run, self.directory, self.beside(run, self.directory))
        if run.finished:
            hint = "" if self._page else "; one that begins is here as soon as its platform stands"
            self.say(f"{run.id} is finished{hint}")
            return ExitStatus.ALL_HELD
        self.say(f"{run.id} was interrupted or killed: {run.reach}")
        return ExitStatus.HARNESS_FAILED


def _stamp(path: Path) -> tuple[int, int]:
    """What tells one version of a file from the next, which is another file."""
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_ino, status.st_mtime_ns
    return 0, 0
