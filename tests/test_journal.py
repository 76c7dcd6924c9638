"""The undo journal: on disk before the disturbance, closed after it, readable whatever happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import FaultError, UnprovenError
from harness.fault import Injection, Stages, fault, shown
from harness.journal import Journal, open_entries
from harness.platform import Reset
from harness.recorder import Recorder
from tests.targets import Thing, taking_down


@dataclass
class Frozen(Thing):
    """A thing that stays as it is when the harness dies."""

    def resets(self) -> Sequence[Reset]:
        """What brings it back."""
        return [Reset("container", self.name)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "run.journal"


def injected(thing: Thing, path: Path) -> Injection:
    """The fault of ``taking_down``, with a journal."""
    recorder = Recorder()
    return Injection.of(taking_down(thing), "story", (), recorder, journal=Journal(path))


def test_an_entry_is_there_before_the_disturbance(path: Path) -> None:
    """At the first act of a fault, how to undo it stands on disk."""
    seen: list[int] = []

    @fault
    def looking(thing: Frozen) -> Stages:
        seen.append(len(open_entries(path)))
        yield shown(f"{thing.name} is disturbed", lambda: True)
        yield shown(f"{thing.name} is well", lambda: True)

    planned = looking(Frozen("replica-2"))
    with Injection.of(planned, "story", (), Recorder(), journal=Journal(path)).hold():
        (entry,) = open_entries(path)

    assert seen == [1]
    assert (entry.fault, entry.targets) == ("looking", ("replica-2",))
    assert entry.resets == (Reset("container", "replica-2"),)


def test_a_proven_restoration_closes_the_entry(path: Path) -> None:
    """What is shown to be undone need not be undone again."""
    with injected(Frozen(), path).hold():
        assert len(open_entries(path)) == 1

    assert open_entries(path) == []


def test_an_unproven_restoration_leaves_the_entry_open(path: Path) -> None:
    """What was not shown to be undone is left for whoever comes after."""
    with pytest.raises(UnprovenError), injected(Frozen(broken_for_good=True), path).hold():
        pass

    assert [entry.fault for entry in open_entries(path)] == ["taking down"]


def test_the_last_fault_is_undone_first(path: Path) -> None:
    """Two faults that overlap are read in the reverse order of their injection."""
    journal = Journal(path)
    for name in ("one", "two"):
        journal.begin(taking_down(Frozen(name)))

    assert [entry.targets for entry in open_entries(path)] == [("two",), ("one",)]


def test_a_line_that_was_cut_short_hides_nothing(path: Path) -> None:
    """A process that dies while it writes has not injected yet; earlier entries still count."""
    Journal(path).begin(taking_down(Frozen()))
    with path.open("ab") as file:
        file.write(b'{"number":2,"fault":"tak')

    assert [entry.number for entry in open_entries(path)] == [1]


def test_without_a_journal_nothing_is_disturbed(tmp_path: Path) -> None:
    """Where the journal cannot be written the fault is refused, and the thing left alone."""
    thing = Frozen()

    with pytest.raises(FaultError, match="undo journal"):
        injected(thing, tmp_path / "nowhere" / "run.journal").hold().__enter__()

    assert thing.notes == []


def test_no_journal_no_entries(path: Path) -> None:
    """A run that disturbed nothing has nothing to undo."""
    assert open_entries(path) == []
