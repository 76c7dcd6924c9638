"""The console command and the plugin: files in a run's directory."""

from pathlib import Path

import pytest

from harness import run as runs
from reports import files, index, plugin
from reports.command import report
from reports.digest import digest
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
    directory = tmp_path / "run"
    directory.mkdir()

    plugin.pytest_mayfly_run_saved(run=sample.run(), directory=directory)

    names = sorted(path.name for path in directory.iterdir())
    assert names == ["junit.xml", "report.html", "summary.md"]


def _saved(directory: Path, day: int, **changes: object) -> Path:
    """A run that began on a day of November, saved in a directory of its own."""
    run = sample.run(
        sample.kill_scenario(50, verdicts=(sample.verdict("T5", "held", float(day)),)),
        **{"id": f"run-{day}", "began_at": f"2026-11-{day:02}T14:03:12+00:00", **changes},
    )
    path = directory / run.id
    runs.save(run, path)
    return path


def test_compares_with_the_named_run(tmp_path: Path) -> None:
    """The run after --compare is what every file speaks of, whatever the index says."""
    first, second, third = (_saved(tmp_path, day) for day in (5, 6, 9))
    for each in (first, second):
        index.add(digest(runs.load(each)), tmp_path / index.INDEX)

    assert report([str(third)]) == 0
    by_default = (third / "report.html").read_text(encoding="utf-8")
    assert report([str(third), "--compare", str(first)]) == 0
    named = (third / "report.html").read_text(encoding="utf-8")

    assert "the run of 6 Nov 14:03" in by_default
    assert "the run of 5 Nov 14:03" in named
    assert "the run of 5 Nov 14:03" in (third / "summary.md").read_text(encoding="utf-8")


def test_named_run_needs_no_index(tmp_path: Path) -> None:
    """A run from elsewhere, such as another machine's, can be compared with as well."""
    first, second = _saved(tmp_path / "a", 5), _saved(tmp_path / "b", 6)

    assert report([str(second), "--compare", str(first)]) == 0

    assert "+1\N{NO-BREAK SPACE}s" in (second / "report.html").read_text(encoding="utf-8")


def test_run_is_not_compared_with_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even through a link; and nothing is written."""
    run = _saved(tmp_path, 5)
    latest = tmp_path / "latest"
    latest.symlink_to(run)

    assert report([str(latest), "--compare", str(run)]) == 7

    error = capsys.readouterr().err
    assert "expected another run to compare with" in error
    assert error.count("\n") == 1
    assert not (run / "report.html").exists()


def test_run_to_compare_with_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its error is as clear as that of the run itself."""
    run = _saved(tmp_path, 5)

    assert report([str(run), "--compare", str(tmp_path / "none")]) == 7

    assert f"expected a run in {tmp_path / 'none'}" in capsys.readouterr().err


@pytest.mark.parametrize("of", ["run", "compared"])
def test_run_of_another_schema_names_the_version_that_wrote_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], of: str
) -> None:
    """Whoever holds an old run learns what can read it."""
    old, new = _saved(tmp_path, 5), _saved(tmp_path, 6)
    document = (old / "run.json").read_text(encoding="utf-8")
    document = document.replace('"schema": 1', '"schema": 99', 1)
    (old / "run.json").write_text(document.replace('"0.1.0"', '"8.7"'), encoding="utf-8")

    assert report([str(old)] if of == "run" else [str(new), "--compare", str(old)]) == 7

    error = capsys.readouterr().err
    assert "schema 99, written by Mayfly 8.7" in error
    assert "Use the version that wrote it" in error
