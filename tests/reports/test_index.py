"""reports/runs/index.jsonl: what is appended is read again, whatever else is in the file."""

import multiprocessing
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from harness import run as runs
from reports import plugin
from reports.digest import Digest, digest, instant
from reports.index import INDEX, KEPT, Index, add, comparable, read, shared
from reports.surroundings import surroundings
from tests.reports import sample, sample_runs


def _run(number: int, **changes: object) -> Digest:
    """A digest of a run that began so many minutes after noon."""
    verdict = sample.verdict("T5", "held", number)
    made = digest(sample.run(sample.kill_scenario(50, verdicts=(verdict,))))
    known = {"id": f"run-{number}", "began_at": f"2026-11-20T12:{number:02}:00+00:00"}
    return replace(made, **{**known, **changes})


_NOW = _run(59, id="now")


def test_what_is_added_is_read(tmp_path: Path) -> None:
    """A digest comes back as it was, with numbers, texts and what could not be measured."""
    path = tmp_path / INDEX
    run = digest(sample_runs.typical(100))

    add(run, path)

    later = replace(run, id="later", began_at="2026-11-22T14:00:00+00:00")
    assert read(path, later) == Index((run,), 0)


def test_missing_index_is_an_empty_one(tmp_path: Path) -> None:
    """The first run of all finds no index, and that is no error."""
    assert read(tmp_path / INDEX, _NOW) == Index((), 0)


def test_lines_of_others_are_skipped_and_counted(tmp_path: Path) -> None:
    """Damaged lines, those of another schema, and those without a time cost but themselves."""
    path = tmp_path / INDEX
    add(_run(1), path)
    with path.open("ab") as stream:
        stream.write(b'{"schema": 1, "id"\n\n\xff\xfe\n[]\n{"schema":1}\n')
    add(_run(2, schema=99), path)
    add(_run(3, began_at="yesterday"), path)
    with path.open("ab") as stream:
        stream.write(b'{"schema": 1, "id": "x", "began_at": "2026-11-20T12:00:00", "points": 1}\n')
    add(_run(4), path)

    assert read(path, _NOW) == Index((_run(1), _run(4)), 7)


def test_half_a_line_takes_no_other_with_it(tmp_path: Path) -> None:
    """What a writer that died in the middle left behind does not spoil the next line."""
    path = tmp_path / INDEX
    path.write_bytes(msgspec.json.encode(_run(1))[:40])

    add(_run(2), path)

    assert read(path, _NOW) == Index((_run(2),), 1)


def test_run_that_is_in_it_twice_counts_once(tmp_path: Path) -> None:
    """The last line of a run is the one that counts."""
    path = tmp_path / INDEX
    add(_run(1), path)
    add(_run(1, exit_status=7), path)

    assert [each.exit_status for each in read(path, _NOW).earlier] == [7]


def _add_many(path: Path, first: int) -> None:
    for number in range(first, first + 40):
        add(_run(0, id=f"run-{number}"), path)


def test_two_writers_at_once_lose_no_line(tmp_path: Path) -> None:
    """Runs that end at the same time both find their place, line by line."""
    path = tmp_path / INDEX
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_many, args=(path, first)) for first in (0, 40)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    index = read(path, _NOW)

    assert [each.exitcode for each in writers] == [0, 0]
    assert (len(index.earlier), index.unread) == (80, 0)


def test_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that did not fit is an error, not a silent gap."""
    monkeypatch.setattr(os, "write", lambda _descriptor, line: len(line) - 1)

    with pytest.raises(OSError, match="free some space"):
        add(_run(1), tmp_path / INDEX)


def test_earlier_runs_come_oldest_first(tmp_path: Path) -> None:
    """Runs count by when they began, whatever their place in the file; later ones do not count."""
    path = tmp_path / INDEX
    for each in (_run(3), _run(1), _run(5), _run(4), _run(2, began_at="2026-11-20T12:02:00")):
        add(each, path)

    found = read(path, _run(4)).earlier

    assert [each.id for each in found] == ["run-1", "run-2", "run-3"]
    assert read(path, _run(4, began_at="yesterday")).earlier == ()


def test_only_the_last_runs_are_kept(tmp_path: Path) -> None:
    """A file that grew for years makes no page slower, and the newest runs are those that count."""
    path = tmp_path / INDEX
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(KEPT + 5):
        began_at = (start + timedelta(hours=number)).isoformat()
        add(_run(0, id=f"run-{number}", began_at=began_at), path)

    found = read(path, _NOW).earlier

    assert [each.id for each in found] == [f"run-{number}" for number in range(5, KEPT + 5)]


def test_zones_are_minded() -> None:
    """An hour of another zone is put where it belongs."""
    noon = instant("2026-11-20T12:00:00+00:00")

    assert noon == instant("2026-11-20T14:00:00+02:00") == instant("2026-11-20T12:00:00")


def test_runs_of_other_promises_are_passed_over(tmp_path: Path) -> None:
    """Runs of other scenarios, or of other clauses in the same one, are nothing to compare with."""
    path = tmp_path / INDEX
    (point,) = _run(1).points
    other_scenario = _run(2, points=(replace(point, scenario="another"),))
    other_clause = _run(3, points=(replace(point, id="D3"),))
    both = _run(5, points=(*other_scenario.points, point))
    for each in (_run(1), other_scenario, other_clause, _run(4, points=()), both):
        add(each, path)

    assert read(path, _NOW).earlier == (_run(1), both)
    assert (shared(both, _run(1)), shared(other_scenario, other_clause)) == (1, 0)


def test_a_run_of_much_is_not_compared_with_one_of_little() -> None:
    """The newest that judged half of the same counts; where there is none, the newest."""
    (point,) = _run(1).points
    four = tuple(replace(point, id=id_) for id_ in "abcd")
    whole, half, quarter = (
        _run(number, points=four[:count]) for number, count in ((1, 4), (2, 2), (3, 1))
    )
    now = replace(_NOW, points=four)

    assert comparable(now, (whole, quarter)) == whole
    assert comparable(now, (whole, half, quarter)) == half
    assert comparable(now, (quarter,)) == quarter
    assert comparable(replace(_NOW, points=four[:1]), (quarter, whole)) == whole
    assert comparable(now, ()) is None


def test_plugin_adds_the_run_to_the_index(tmp_path: Path) -> None:
    """A run that was saved is what the next one beside it is compared with."""
    first, second = (
        sample_runs.typical(100),
        replace(sample_runs.typical(100), id="later", began_at="2026-11-22T09:00:00+00:00"),
    )
    for run in (first, second):
        directory = tmp_path / "runs" / run.id
        runs.save(run, directory)
        plugin.pytest_mayfly_run_saved(run=run, directory=directory)

    latest = tmp_path / "latest"
    latest.symlink_to(directory)
    around = surroundings(second, latest)

    lines = (tmp_path / "runs" / INDEX).read_bytes().splitlines()
    assert [msgspec.json.decode(line)["id"] for line in lines] == [first.id, second.id]
    assert digest(first) == around.compared
    assert (digest(first),) == around.earlier
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "the run of 21 Nov 14:03" in page
