"""A run held against another one: which verdicts changed, which figures moved, and how far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.contract import Verdict
from harness.run import Run
from reports.beside import Beside
from reports.change import NOTABLE_SHARE, Change, change
from reports.charts.dumbbell import dumbbell
from reports.digest import Digest, Key, Point, digest, instant, keyed, point
from reports.index import comparable
from reports.scorecard import Row, row
from reports.trend import Trend, trends
from reports.words import WORST_FIRST, day_and_time, plural, promised, quantity

_NEW = Change("", "new", "", notable=False, shares=0.0)
_NOT_THEN = Change("", "not judged then", "", notable=False, shares=0.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """One verdict that both runs have."""

    row: Row
    then: str
    promised_then: str  # empty where the promise is the same
    change: Change
    picture: Markup  # empty where nothing notable changed


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the page and the summary tell of the other run."""

    title: str
    column: str  # head of the scorecard's column
    notes: tuple[str, ...]  # what makes the two runs less comparable
    moved: tuple[Pair, ...]  # verdicts that changed and figures that moved, the worst first
    steady: tuple[Pair, ...]
    changes: Mapping[str, Change]  # of every verdict of this run, by the anchor of its evidence
    trends: tuple[Trend, ...]
    hardly: str = quantity(NOTABLE_SHARE, "share")  # of its limit: a figure moved by less


def comparison(run: Run, beside: Beside) -> Comparison | None:
    """The run against the one beside it; None where there is none."""
    other = beside.compared
    if other is None:
        return None
    here = digest(run)
    then = keyed(other.points)
    found = list(_found(run, then, beside.earlier))
    pairs = [each for _, each in found if isinstance(each, Pair)]
    is_last = _is_last(other, beside)
    moment = day_and_time(other.began_at, run.began_at)
    return Comparison(
        title="Against the last run" if is_last else f"Against the run of {moment}",
        column="Since last run" if is_last else f"Since {moment}",
        notes=tuple(_notes(here, other, beside, len(pairs))),
        moved=tuple(sorted((each for each in pairs if each.change.notable), key=_urgency)),
        steady=tuple(each for each in pairs if not each.change.notable),
        changes={anchor: each.change if isinstance(each, Pair) else each for anchor, each in found},
        trends=trends(run, beside.earlier),
    )


def _is_last(other: Digest, beside: Beside) -> bool:
    """Whether no run came between."""
    return bool(beside.earlier) and beside.earlier[-1].id == other.id


def _found(
    run: Run, then: Mapping[Key, Point], earlier: Sequence[Digest]
) -> Iterator[tuple[str, Pair | Change]]:
    """The anchor of every verdict, with its pair, or with why it has none."""
    known = {(each.scenario, each.id) for digest_ in earlier for each in digest_.points}
    keys = iter(keyed(map(point, run.verdicts)))
    for section, scenario in enumerate(run.scenarios, start=1):
        for place, verdict in enumerate(scenario.verdicts, start=1):
            key = next(keys)
            shown = row(verdict, scenario, section, place)
            if key in then:
                yield shown.anchor, _pair(shown, then[key], verdict)
            else:
                yield shown.anchor, _NOT_THEN if key[:2] in known else _NEW


def _pair(shown: Row, then: Point, now: Verdict) -> Pair:
    same = (then.promised, then.unit, then.comparison) == (now.promised, now.unit, now.comparison)
    moved = change(then, now)
    return Pair(
        shown,
        quantity(then.measured, then.unit),
        "" if same else promised(then),
        moved,
        dumbbell(then, now) if moved.notable else Markup(""),
    )


def _urgency(pair: Pair) -> tuple[bool, int, bool, float]:
    """A verdict that changed comes first, then what moved the wrong way, then how far."""
    of = pair.change
    outcomes = [str(each) for each in WORST_FIRST]
    return not of.verdict, outcomes.index(pair.row.outcome), of.tendency != "worse", -of.shares


def _notes(here: Digest, other: Digest, beside: Beside, pairs: int) -> Iterator[str]:
    if _is_last(other, beside):
        yield f"Compared with the run of {day_and_time(other.began_at, here.began_at)}."
    elif comparable(here, beside.earlier) == other:
        yield "Later runs judged less than half of the same clauses."
    if not pairs:
        yield "That run judged none of the clauses that this one judged in the same scenarios."
    if other.image != here.image:
        yield f"That run tested another image: {other.image or 'it names none'}."
    times = instant(here.began_at), instant(other.began_at)
    if times[0] and times[1] and times[1] > times[0]:
        yield "That run is the later one of the two."
    alone = len(here.points) - pairs
    if pairs and alone:
        are = "verdict of this run is" if alone == 1 else "verdicts of this run are"
        yield f"{alone:,} {are} new, or not judged in that one."
    gone = len(other.points) - pairs
    if pairs and gone:
        were = "verdict of that run was" if gone == 1 else "verdicts of that run were"
        yield f"{gone:,} {were} not judged in this one."
    if beside.unread:
        lines = plural(beside.unread, "line")
        yield f"{lines} of the index of earlier runs could not be read and count for nothing here."
