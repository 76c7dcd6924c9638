"""Where runs are kept."""

import re
from pathlib import Path

from harness import directories


def run(root: Path, name: str) -> Path:
    """The directory of a run that has something to show."""
    directory = directories.run_directory(root, name)
    directory.mkdir(parents=True)
    (directory / "run.json").write_text(name)
    return directory


def test_run_ids() -> None:
    """Run ids are fit for the names of containers, and no two are the same."""
    ids = {directories.new_run_id() for _ in range(20)}

    assert len(ids) > 15
    assert all(re.fullmatch(r"mf-\d{8}-\d{6}-[0-9a-f]{4}", each) for each in ids)


def test_run_directory(tmp_path: Path) -> None:
    """A run lies in reports/runs, and asking for its directory makes nothing."""
    assert directories.run_directory(tmp_path, "mf-1") == tmp_path / "reports" / "runs" / "mf-1"
    assert list(tmp_path.iterdir()) == []


def test_latest_points_at_the_last(tmp_path: Path) -> None:
    """reports/latest leads to the last run, and nothing else is left in reports."""
    latest = tmp_path / "reports" / "latest"
    for name in ("mf-1", "mf-2"):
        directories.point_latest_at(run(tmp_path, name))
        assert (latest / "run.json").read_text() == name

    assert {path.name for path in latest.parent.iterdir()} == {"runs", "latest"}


def test_latest_moves_with_the_folder(tmp_path: Path) -> None:
    """The link is relative: it still leads to the run when the whole folder has moved."""
    directories.point_latest_at(run(tmp_path / "here", "mf-1"))
    moved = (tmp_path / "here").rename(tmp_path / "there")

    assert (moved / "reports" / "latest" / "run.json").read_text() == "mf-1"


def test_latest_of_a_removed_run(tmp_path: Path) -> None:
    """A link whose run was deleted is replaced like any other."""
    latest = tmp_path / "reports" / "latest"
    latest.parent.mkdir()
    latest.symlink_to("runs/gone")

    directories.point_latest_at(run(tmp_path, "mf-2"))

    assert (latest / "run.json").read_text() == "mf-2"
