"""A run on disk: all that verdicts and the report are made from.

docs/run-json.md describes the files. Loading a run needs no Docker, no clock and no seed.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness import columns, parts
from harness.contract import Limits, Verdict
from harness.errors import RunFormatError
from harness.history import Event, FaultRecord, Generator, History, Value, Window
from harness.tables import Table
from harness.truth import Truth

SCHEMA = 1
_DAMAGE = (
    msgspec.DecodeError,
    OSError,
    KeyError,
    ValueError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test of a suite: its promise in words, history, verdicts, and how to repeat it."""

    name: str
    title: str
    node_id: str
    repeat: str
    history: History
    verdicts: tuple[Verdict, ...] = ()
    phases: Mapping[str, float | None] = field(default_factory=dict)
    """Seconds from the first fault's proven effect, such as ``ready_s``; None: never seen."""
    conclusion: str = "judged"  # judged | skipped | inconclusive | failed | left out | interrupted
    message: str = ""  # why, where it was skipped or failed
    readiness: tuple[Truth, ...] = ()
    """Of each replica that a witness asked: readiness against what it could do."""


@dataclass(frozen=True, slots=True)
class Run:
    """All that is known of one run."""

    id: str
    began_at: str  # wall clock, ISO 8601 with time zone
    duration_s: float
    seed: int
    exit_status: int
    conditions: Mapping[str, Value] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    scenarios: tuple[Scenario, ...] = ()
    warnings: tuple[str, ...] = ()
    version: str = ""  # of the harness that wrote it
    finished: bool = True  # False: it goes on, or it was interrupted or killed
    planned: int = 0  # scenarios; 0 where that is unknown

    @property
    def reach(self) -> str:
        """How far the run came: ``7 of 26 scenarios are over``."""
        over = sum(each.conclusion != "interrupted" for each in self.scenarios)
        of_all = f" of {self.planned}" if self.planned else ""
        nouns = "scenario" if (self.planned or over) == 1 else "scenarios"
        return f"{over}{of_all} {nouns} {'is' if over == 1 else 'are'} over"

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of all scenarios, in order."""
        return tuple(verdict for each in self.scenarios for verdict in each.verdicts)


@dataclass(frozen=True, slots=True)
class _Chapter:
    """A scenario as run.json holds it: without the rows that the tables hold."""

    name: str
    title: str
    node_id: str
    repeat: str
    conclusion: str
    message: str
    began_s: float
    ended_s: float
    requests: int
    failed: int
    records: int | None
    phases: dict[str, float | None]
    windows: tuple[Window, ...]
    generators: tuple[Generator, ...]
    notes: dict[str, dict[str, Value]] = field(default_factory=dict)
    readiness: tuple[Truth, ...] = ()


@dataclass(frozen=True, slots=True)
class _Document:
    """run.json."""

    schema: int
    version: str
    id: str
    began_at: str
    duration_s: float
    seed: int
    exit_status: int
    conditions: dict[str, Value]
    limits: Limits
    warnings: tuple[str, ...]
    clauses: tuple[Verdict, ...]
    scenarios: tuple[_Chapter, ...]
    faults: tuple[FaultRecord, ...]
    finished: bool = True
    planned: int = 0
    in_parts: bool = False  # the rows are in parts/, not yet in the five tables


def save(run: Run, directory: Path) -> None:
    """Write run.json, tables and events.jsonl into the directory, each whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    columns.write(directory, [each.history for each in run.scenarios])
    _save_events(run, directory)
    _save_document(run, directory, in_parts=False)
    parts.remove(directory)


def save_so_far(run: Run, directory: Path, fresh: int) -> None:
    """Save a run that goes on, of which so many scenarios at the end were not saved before.

    Only their rows are written, into parts: what it takes does not grow with the run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    first = len(run.scenarios) - fresh
    for place, each in enumerate(run.scenarios[first:], start=first):
        parts.write(directory, place, each.history)
    _save_events(run, directory)
    _save_document(run, directory, in_parts=True)


def load(directory: Path) -> Run:
    """The run stored in the directory. Raises RunFormatError where it cannot be read."""
    path = directory / "run.json"
    try:
        content = path.read_bytes()
        raw = msgspec.json.decode(content, type=dict[str, object])
    except (OSError, msgspec.DecodeError) as error:
        raise RunFormatError(
            f"expected a run in {directory}, but {path.name} cannot be read ({error}); "
            "name a directory such as reports/latest"
        ) from error
    if raw.get("schema") != SCHEMA:
        raise RunFormatError(
            f"{path} has schema {raw.get('schema')!r}, written by Mayfly "
            f"{raw.get('version', '?')}; this version reads schema {SCHEMA}. "
            "Use the version that wrote it, or run again"
        )
    try:
        return _load(msgspec.json.decode(content, type=_Document), directory)
    except _DAMAGE as error:
        raise RunFormatError(f"the run in {directory} is damaged: {error}; run again") from error


def _save_events(run: Run, directory: Path) -> None:
    # A later scenario's history includes an earlier one's events: the longest holds them all.
    events = max((each.history.events for each in run.scenarios), key=len, default=())
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    _write(directory / "events.jsonl", lines)


def _save_document(run: Run, directory: Path, *, in_parts: bool) -> None:
    document = msgspec.json.encode(_document(run, in_parts=in_parts))
    _write(directory / "run.json", msgspec.json.format(document, indent=1))


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _document(run: Run, *, in_parts: bool) -> _Document:
    return _Document(
        schema=SCHEMA,
        version=run.version,
        id=run.id,
        began_at=run.began_at,
        duration_s=run.duration_s,
        seed=run.seed,
        exit_status=run.exit_status,
        conditions=dict(run.conditions),
        limits=run.limits,
        warnings=run.warnings,
        clauses=run.verdicts,
        scenarios=tuple(_chapter(each) for each in run.scenarios),
        faults=tuple(fault for each in run.scenarios for fault in each.history.faults),
        finished=run.finished,
        planned=run.planned,
        in_parts=in_parts,
    )


def _chapter(each: Scenario) -> _Chapter:
    history = each.history
    return _Chapter(
        name=each.name,
        title=each.title,
        node_id=each.node_id,
        repeat=each.repeat,
        conclusion=each.conclusion,
        message=each.message,
        began_s=history.began_s,
        ended_s=history.ended_s,
        requests=len(history.requests),
        failed=int((history.requests["status"] != 0).sum()),
        records=None if history.records is None else len(history.records),
        phases=dict(each.phases),
        windows=history.windows,
        generators=history.generators,
        notes=_notes(history),
        readiness=each.readiness,
    )


def _notes(history: History) -> dict[str, dict[str, Value]]:
    """What the scenario wrote down itself, by kind: for readers of run.json alone."""
    return {
        event.kind.removeprefix("scenario."): dict(event.details)
        for event in history.events
        if event.subject == history.scenario
        and event.kind.startswith("scenario.")
        and event.details
    }


def _load(document: _Document, directory: Path) -> Run:
    decoder = msgspec.json.Decoder(Event)
    events = tuple(
        decoder.decode(line) for line in (directory / "events.jsonl").read_bytes().splitlines()
    )
    stored = parts if document.in_parts else columns
    rows = stored.read(directory, len(document.scenarios))
    return Run(
        id=document.id,
        began_at=document.began_at,
        duration_s=document.duration_s,
        seed=document.seed,
        exit_status=document.exit_status,
        conditions=document.conditions,
        limits=document.limits,
        scenarios=tuple(
            _scenario(chapter, each, document, events)
            for chapter, each in zip(document.scenarios, rows, strict=True)
        ),
        warnings=document.warnings,
        version=document.version,
        finished=document.finished,
        planned=document.planned,
    )


def _scenario(
    chapter: _Chapter, rows: Mapping[str, Table], document: _Document, events: tuple[Event, ...]
) -> Scenario:
    history = History(
        scenario=chapter.name,
        began_s=chapter.began_s,
        ended_s=chapter.ended_s,
        requests=rows["requests"],
        attempts=rows["attempts"],
        access=rows["access"],
        records=None if chapter.records is None else rows["records"],
        usage=rows["usage"],
        events=tuple(event for event in events if event.time_s <= chapter.ended_s),
        windows=chapter.windows,
        faults=tuple(fault for fault in document.faults if fault.scenario == chapter.name),
        generators=chapter.generators,
    )
    return Scenario(
        name=chapter.name,
        title=chapter.title,
        node_id=chapter.node_id,
        repeat=chapter.repeat,
        history=history,
        verdicts=tuple(each for each in document.clauses if each.scenario == chapter.name),
        phases=chapter.phases,
        readiness=chapter.readiness,
        conclusion=chapter.conclusion,
        message=chapter.message,
    )
