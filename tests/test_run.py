"""A run on disk: what is saved is what is loaded, and what cannot be read says what to do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.clauses import catalogue
from harness.contract import Limits, judge
from harness.errors import RunFormatError
from harness.history import Generator, History
from harness.phases import phases
from harness.run import Run, Scenario, load, save
from harness.tables import USAGE, table
from tests.clauses.histories import Story

LIMITS = Limits(lost_after_retry=1)


def scenario(name: str, history: History) -> Scenario:
    """A judged scenario of this history."""
    faults = tuple(replace(fault, scenario=name) for fault in history.faults)
    generator = Generator("main", 100.0, "constant", 3000, 3000, 0.1, 0.3, 2.0, retries=4)
    history = replace(history, scenario=name, faults=faults, generators=(generator,))
    return Scenario(
        name=name,
        title=f"The promise of {name}",
        node_id=f"faults/test_{name}.py::test_{name}",
        repeat=f"pytest faults/test_{name}.py --seed 7",
        history=history,
        verdicts=judge(catalogue().values(), history, LIMITS),
        phases=phases(history, faults[0]).as_mapping() if faults else {},
    )


@pytest.fixture(scope="module")
def run() -> Run:
    """A run of three scenarios: one with a kill, one without records, one skipped and empty."""
    usage = table(USAGE, [("container-1", 1000.5, 0.2, 5e7, 0.0)])
    killed = Story().fleet(3).requests().kill("replica-2", at_s=5).probes().steady(to_s=5)
    calm = Story(lasting_s=31).fleet(3).requests(rate_rps=10).without_records()
    calm.starts |= killed.starts
    calm.extra = killed.extra
    skipped = replace(
        scenario("skipped", History("skipped", 0.0, 0.0)),
        conclusion="skipped",
        message="the fleet was not healthy",
    )
    return Run(
        id="2026-11-22-a",
        began_at="2026-11-22T09:00:00+00:00",
        duration_s=61.5,
        seed=7,
        exit_status=6,
        conditions={"cores": 2, "engine": "20.10.24", "cgroup": None, "share": 0.5, "ci": True},
        limits=LIMITS,
        scenarios=(
            scenario("rescheduling", replace(killed.told(), usage=usage)),
            scenario("calm", calm.told()),
            skipped,
        ),
        warnings=("the machine was busy",),
        version="0.1.0",
    )


@pytest.fixture
def saved(run: Run, tmp_path: Path) -> Path:
    """The directory of a saved run."""
    save(run, tmp_path)
    return tmp_path


def same_tables(one: History, other: History) -> bool:
    """Whether two histories hold the same rows."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("requests", "attempts", "access", "usage")
    ) and (one.records is None) == (other.records is None)


def test_round_trip(run: Run, saved: Path) -> None:
    """A run that is saved and loaded is the same run, to the last row, event and verdict."""
    loaded = load(saved)

    assert replace(loaded, scenarios=()) == replace(run, scenarios=())
    assert [each.name for each in loaded.scenarios] == [each.name for each in run.scenarios]
    for ours, theirs in zip(run.scenarios, loaded.scenarios, strict=True):
        assert same_tables(ours.history, theirs.history)
        assert theirs.history.events == ours.history.events
        assert theirs.history.windows == ours.history.windows
        assert theirs.history.faults == ours.history.faults
        assert theirs.history.generators == ours.history.generators
        assert (theirs.verdicts, theirs.phases) == (ours.verdicts, dict(ours.phases))
        assert (theirs.conclusion, theirs.message) == (ours.conclusion, ours.message)


def test_judged_again(run: Run, saved: Path) -> None:
    """A loaded run, judged again, gets the verdicts that it was saved with."""
    loaded = load(saved)

    for each in loaded.scenarios:
        assert judge(catalogue().values(), each.history, loaded.limits) == each.verdicts
    assert loaded.verdicts == run.verdicts


def test_saved_twice(saved: Path) -> None:
    """Saving over a run replaces it, and leaves nothing half-written."""
    before = load(saved)
    save(before, saved)

    assert load(saved).verdicts == before.verdicts
    assert not list(saved.glob("*.partial*"))


def test_missing(tmp_path: Path) -> None:
    """A directory without a run says which kind of directory to name."""
    with pytest.raises(RunFormatError, match="name a directory such as reports/latest"):
        load(tmp_path / "nowhere")


def test_not_json(saved: Path) -> None:
    """A run.json that is no JSON says so."""
    (saved / "run.json").write_text("{")

    with pytest.raises(RunFormatError, match=r"run\.json cannot be read"):
        load(saved)


def test_old_schema(saved: Path) -> None:
    """A run of another schema says who wrote it, and which schema this version reads."""
    path = saved / "run.json"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))

    with pytest.raises(RunFormatError, match=r"schema 99, written by Mayfly 0\.1\.0.*run again"):
        load(saved)


@pytest.mark.parametrize("name", ["requests.npz", "attempts.npz", "access.npz", "events.jsonl"])
def test_missing_file(saved: Path, name: str) -> None:
    """A run that lacks one of its files is damaged, and must be run again."""
    (saved / name).unlink()

    with pytest.raises(RunFormatError, match=r"is damaged: .*; run again"):
        load(saved)


@pytest.mark.parametrize("name", ["requests.npz", "records.npz", "events.jsonl"])
def test_truncated_file(saved: Path, name: str) -> None:
    """A file that was cut short is damage too, not a crash."""
    path = saved / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(RunFormatError, match="is damaged"):
        load(saved)


def test_unknown_field_missing(saved: Path) -> None:
    """A run.json without one of its fields is damaged, and the field is named."""
    path = saved / "run.json"
    path.write_text(path.read_text().replace('"seed"', '"sed"'))

    with pytest.raises(RunFormatError, match="missing required field `seed`"):
        load(saved)


def test_emptied_file(saved: Path) -> None:
    """Nor is an empty table."""
    (saved / "access.npz").write_bytes(b"")

    with pytest.raises(RunFormatError, match="is damaged"):
        load(saved)
