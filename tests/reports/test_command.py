"""The console command and the plugin: files in a run's directory."""

from pathlib import Path

import pytest

from harness import run as runs
from reports import files, plugin
from reports.command import report
from reports.page import render
from reports.summary import markdown
from tests.reports import sample, sample_runs


def test_saved_run_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes page and summary beside the run, and prints where the page is."""
    run = sample_runs.typical(300)
    runs.save(run, tmp_path)

    assert report([str(tmp_path)]) == 0

    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(runs.load(tmp_path))
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == markdown(runs.load(tmp_path))


def test_stored_run_gives_the_page_of_the_live_one(tmp_path: Path) -> None:
    """Nothing that the page shows is lost when a run is saved and loaded."""
    run = sample_runs.typical(300)
    runs.save(run, tmp_path)

    assert render(runs.load(tmp_path)) == render(run)


def test_directory_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stderr says what was expected, and the exit status is the harness's own."""
    assert report([str(tmp_path)]) == 7

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "expected a run in" in captured.err
    assert list(tmp_path.iterdir()) == []


def test_failed_write_keeps_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is replaced whole or not at all, and no part of one is left behind."""
    page = tmp_path / "report.html"
    page.write_text("old", encoding="utf-8")

    def full_disk(self: Path, content: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        files.write(sample.run(), tmp_path)

    assert page.read_text(encoding="utf-8") == "old"
    assert [page] == list(tmp_path.iterdir())


def test_plugin_writes_beside_the_saved_run(tmp_path: Path) -> None:
    """The hook that follows the saving of a run leaves page, summary and junit.xml."""
    plugin.pytest_mayfly_run_saved(run=sample.run(), directory=tmp_path)

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["junit.xml", "report.html", "summary.md"]
