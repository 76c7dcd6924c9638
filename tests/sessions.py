"""A session of scenarios without an engine: everything is real but the platform."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness import clauses, directories
from harness.assembly import Assembly
from harness.contract import Limits
from harness.ledger import Ledger
from harness.load.standby import Standby
from harness.platforms.docker import DockerPlatform
from harness.progress import Progress
from harness.recorder import Recorder
from harness.session import Session
from harness.settings import Service, Settings

# An inner pytest forgets the modules that it imported, and numpy's cannot be imported again: so all
# that judging needs is there before.
clauses.catalogue()


class NoPlatform:
    """Stands where the Docker platform stands, and has nothing to remove."""

    def __init__(self) -> None:
        self.leaks: list[str] = []
        self.closed = 0

    def logs(self) -> dict[str, bytes]:
        """What one replica wrote."""
        return {"replica-1": b"ready\n"}

    def residue(self) -> list[str]:
        """Nothing is disturbed where nothing is."""
        return []

    def close(self) -> None:
        """Count how often it is removed."""
        self.closed += 1


class Opened:
    """Takes the place of ``Session.open``: notes how it was called, and what it opened."""

    def __init__(self, root: Path) -> None:
        self.platform = NoPlatform()
        self.paths: list[Path] = []
        self.sessions: list[Session] = []
        self._root = root

    def __call__(self, path: Path, seed: int, progress: Progress) -> Session:
        """Open a session of a platform that is none."""
        self.paths.append(path)
        settings = Settings(Service("m", "golden.npz", image="a:1"))
        session = Session(
            Assembly(self._root, settings, Limits(), None),
            Ledger("mf-1", seed, Limits()),
            Recorder(),
            cast("DockerPlatform", self.platform),
            progress,
            directories.run_directory(self._root, "mf-1"),
            Standby(),
        )
        self.sessions.append(session)
        return session


@pytest.fixture
def opened(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Sessions that the inner pytest opens; it leaves the outer one's signals and report alone."""
    stand_in = Opened(pytester.path)
    monkeypatch.setattr(Session, "open", stand_in)
    monkeypatch.setattr("harness.plugin._turn_sigterm_into_interrupt", lambda: None)
    monkeypatch.setattr("reports.plugin.write", lambda _run, _directory: SimpleNamespace())
    return stand_in
