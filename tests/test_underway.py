"""Whether a run goes on, and what it tells of itself meanwhile."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.underway import Claim, Now, Teller, is_going_on, told

NOW = Now("test_kill", "2026-11-22T14:03:12+00:00", "steady, 5 s: 120 sent, 0 failed", 18)
CLAIMING = """
import sys
from pathlib import Path
from harness.underway import Claim
claim = Claim(Path(sys.argv[1]))
print("claimed", flush=True)
sys.stdin.read()
"""


class Disk:
    """Watches files being replaced by new ones, or fails to write them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, full: bool = False) -> None:
        self.writes = 0
        self._is_full = full
        self._arrived = threading.Semaphore(0)
        self._replace = Path.replace
        # A bound method would not be handed the path.
        monkeypatch.setattr(Path, "replace", lambda *paths: self._written(*paths))  # noqa: PLW0108

    def _written(self, path: Path, target: Path) -> Path:
        try:
            if self._is_full:
                raise OSError(28, "No space left on device")
            return self._replace(path, target)
        finally:
            self.writes += 1
            self._arrived.release()

    def await_write(self) -> None:
        """Return when one more file has been written, or could not be."""
        assert self._arrived.acquire(timeout=10)


def test_claimed_until_released(tmp_path: Path) -> None:
    """A run goes on from the claim on its directory to its release, however often one asks."""
    directory = tmp_path / "runs" / "mf-1"
    before = is_going_on(directory)
    claim = Claim(directory)
    meanwhile = [is_going_on(directory) for _ in range(3)]
    claim.release()

    assert (before, meanwhile, is_going_on(directory)) == (False, [True] * 3, False)
    assert list(directory.iterdir()) == []


def test_killed_process_claims_nothing(tmp_path: Path) -> None:
    """A process that was killed claims nothing any more, though its lock file is still there."""
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        meanwhile = is_going_on(tmp_path)
        process.kill()
        process.wait()

    assert meanwhile
    assert not is_going_on(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_told_is_what_was_said_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks reads the last word, also where it came right after another one."""
    disk = Disk(monkeypatch)
    teller = Teller(tmp_path, period_s=0)
    teller.tell(Now("", NOW.began_at, "starting", 26))
    teller.tell(NOW)
    while told(tmp_path) != NOW:
        disk.await_write()
    teller.close()

    assert told(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_written_once_in_a_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is told in a period, the disk hears of it once; the end is not waited for."""
    disk = Disk(monkeypatch)
    teller = Teller(tmp_path, period_s=3600)
    teller.tell(NOW)
    disk.await_write()
    for _ in range(100):
        teller.tell(NOW)
    teller.close()

    assert disk.writes == 1


def test_full_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written does not keep the next word from being tried."""
    disk = Disk(monkeypatch, full=True)
    teller = Teller(tmp_path, period_s=0)
    for _ in range(3):
        teller.tell(NOW)
        disk.await_write()
    teller.close()

    assert disk.writes == 3


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"scenario": 1}', b"\xff\xfe", b'{"scenario": "test_kill"}'],
)
def test_damaged_progress_is_none(tmp_path: Path, content: bytes) -> None:
    """A progress.json that cannot be read is as if there were none."""
    (tmp_path / "progress.json").write_bytes(content)

    assert told(tmp_path) is None
