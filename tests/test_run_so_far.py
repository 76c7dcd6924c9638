"""A run that goes on, on disk: saved after each scenario, and readable all the time."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from harness import commands
from harness.errors import RunFormatError
from harness.history import History
from harness.run import Run, Scenario, load, save, save_so_far
from tests.clauses.histories import Story

TABLES = ("requests", "attempts", "access", "usage")


def scenario(name: str, rate_rps: float, **changes: object) -> Scenario:
    """A scenario whose fleet answers at this rate."""
    history = Story(lasting_s=3.0).fleet(3).requests(rate_rps=rate_rps).told()
    known = Scenario(name, name, name, name, replace(history, scenario=name))
    return replace(known, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run() -> Run:
    """An unfinished run of three scenarios of five, one of which did not run."""
    skipped = Scenario("idle", "idle", "idle", "idle", History("idle", 0.0, 0.0))
    scenarios = (scenario("one", 50), replace(skipped, conclusion="skipped"), scenario("two", 80))
    return Run(
        "mf-1",
        "2026-11-22T09:00:00+00:00",
        9.0,
        7,
        2,
        scenarios=scenarios,
        finished=False,
        planned=5,
    )


def save_one_by_one(run: Run, directory: Path) -> None:
    """Save it as a run does that goes on."""
    for count in range(len(run.scenarios) + 1):
        so_far = replace(run, scenarios=run.scenarios[:count])
        save_so_far(so_far, directory, fresh=min(count, 1))


def same(one: Run, other: Run) -> bool:
    """Whether two runs tell the same, to the last row."""
    assert replace(one, scenarios=()) == replace(other, scenarios=())
    pairs = list(zip(one.scenarios, other.scenarios, strict=True))
    return all(
        a.history.events == b.history.events
        and (a.name, a.conclusion) == (b.name, b.conclusion)
        and (a.history.records is None) == (b.history.records is None)
        and all(
            np.array_equal(getattr(a.history, name), getattr(b.history, name)) for name in TABLES
        )
        for a, b in pairs
    )


def test_readable_after_every_scenario(run: Run, tmp_path: Path) -> None:
    """After each scenario the run is there as it stands, its first moments included."""
    for count in range(len(run.scenarios) + 1):
        so_far = replace(run, scenarios=run.scenarios[:count])
        save_so_far(so_far, tmp_path, fresh=min(count, 1))

        assert same(load(tmp_path), so_far)


def test_rows_are_written_once(run: Run, tmp_path: Path) -> None:
    """What was saved of a scenario is not touched when the next one is saved."""
    save_so_far(replace(run, scenarios=run.scenarios[:2]), tmp_path, fresh=2)
    before = {path: path.stat() for path in (tmp_path / "parts").iterdir()}
    save_so_far(run, tmp_path, fresh=1)

    assert len(before) == 2
    assert all(path.stat() == status for path, status in before.items())
    assert len(list((tmp_path / "parts").iterdir())) == 3


def test_finished_run_has_no_parts(run: Run, tmp_path: Path) -> None:
    """At its end a run is what it would be had it been saved only then."""
    finished = replace(run, finished=True, exit_status=0)
    save_one_by_one(run, tmp_path / "watched")
    save(finished, tmp_path / "watched")
    save(finished, tmp_path / "unwatched")

    assert same(load(tmp_path / "watched"), finished)
    names = [sorted(each.name for each in path.iterdir()) for path in sorted(tmp_path.iterdir())]
    assert names[0] == names[1]
    assert "parts" not in names[0]


def test_killed_while_its_tables_were_written(run: Run, tmp_path: Path) -> None:
    """Until run.json says that the tables are whole, it is the parts that are read."""
    save_one_by_one(run, tmp_path)
    (tmp_path / "requests.npz").write_bytes(b"cut sho")

    assert same(load(tmp_path), run)


def test_older_run_is_finished(run: Run, tmp_path: Path) -> None:
    """A run.json that says nothing about it is of a run that is over."""
    save(replace(run, finished=False), tmp_path)
    path = tmp_path / "run.json"
    document = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    for key in ("finished", "planned", "in_parts"):
        del document[key]
    path.write_bytes(msgspec.json.encode(document))

    assert (load(tmp_path).finished, load(tmp_path).planned) == (True, 0)


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_damaged_part(run: Run, tmp_path: Path, damage: bytes | None) -> None:
    """A part that is missing or cut short is damage, and told as such."""
    save_one_by_one(run, tmp_path)
    part = tmp_path / "parts" / "2.npz"
    if damage is None:
        part.unlink()
    else:
        part.write_bytes(damage)

    with pytest.raises(RunFormatError, match="is damaged"):
        load(tmp_path)


def test_part_of_another_version(run: Run, tmp_path: Path) -> None:
    """Columns that are not this version's are not taken for others."""
    save_one_by_one(run, tmp_path)
    part = tmp_path / "parts" / "0.npz"
    with np.load(part) as tables:
        changed = dict(tables)
    changed["usage"] = np.zeros(1, dtype=[("container", "S40"), ("watts", "f8")])
    np.savez(part, **changed)

    with pytest.raises(RunFormatError, match="usage of part 0 has other columns"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("conclusions", "planned", "told"),
    [
        ((), 26, "0 of 26 scenarios are over"),
        (("judged",), 26, "1 of 26 scenarios is over"),
        (("judged", "skipped", "interrupted"), 26, "2 of 26 scenarios are over"),
        (("judged",), 1, "1 of 1 scenario is over"),
        (("judged", "failed"), 0, "2 scenarios are over"),
    ],
)
def test_reach(conclusions: tuple[str, ...], planned: int, told: str) -> None:
    """How far a run came counts what is over, and names what was planned where that is known."""
    scenarios = tuple(
        replace(Scenario("a", "a", "a", "a", History("a", 0.0, 0.0)), conclusion=each)
        for each in conclusions
    )

    assert Run("mf-1", "", 0.0, 7, 2, scenarios=scenarios, planned=planned).reach == told


def test_judged_while_it_goes_on(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unfinished run can be judged, and whoever does is told that it is one."""
    save_one_by_one(run, tmp_path)

    assert commands.judge([str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert "the run is unfinished: 3 of 5 scenarios are over" in captured.err
    assert captured.out == "0 of 0 verdicts changed\n"
