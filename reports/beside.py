"""What a page shows that is not in the run itself."""

from dataclasses import dataclass
from pathlib import Path

from harness.underway import Now
from reports.digest import Digest


@dataclass(frozen=True, slots=True)
class Underway:
    """How it stands with a run that is not finished."""

    is_going_on: bool  # a process of this machine works on it
    now: Now | None  # what it told last
    refresh_s: float | None = None  # how often the page is renewed; None: never


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it may be missing: then the page does without."""

    logs: Path | None = None  # the folder that holds <name>.log of each container
    compared: Digest | None = None  # the run that this one is held against
    earlier: tuple[Digest, ...] = ()  # runs before this one, oldest first, for the trend
    unread: int = 0  # lines of the index of earlier runs that could not be read
    underway: Underway | None = None
