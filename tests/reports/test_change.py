"""What became of a verdict since another run."""

import pytest

from harness.contract import Verdict
from reports.change import change, strain
from reports.digest import point
from tests.reports.sample import verdict

_GAP = "\N{NO-BREAK SPACE}"


def _told(then: Verdict, now: Verdict) -> str:
    return str(change(point(then), now)).replace(_GAP, " ").replace("\N{MINUS SIGN}", "-")


@pytest.mark.parametrize(
    ("then", "now", "unit", "limit", "comparison", "expected"),
    [
        (80.0, 74.0, "ms", 100.0, "<=", "-6 ms, better"),
        (80.0, 78.0, "ms", 100.0, "<=", "-2 ms"),
        (0.0054, 0.0085, "share", 0.001, "<=", "+0.31 pt, worse"),
        (6.6, 6.2, "s", 10.0, "<=", "-0.4 s"),
        (0.1 + 0.2, 0.3, "s", 10.0, "<=", "±0"),
        (17, 18, "requests", 20, "<=", "+1 request"),
        (0, 3, "records", 0, "<=", "+3 records, worse"),
        (0.6, 0.9, "of a fair share", 0.5, ">=", "+0.3 of a fair share, better"),
        (100.0, 99.0, "% live", 100.0, "==", "-1 pt live"),
        (90.0, 110.0, "% live", 100.0, "==", "+20 pt live"),
        ("one digest", "one digest", "digests", "one digest", "==", "the same"),
        ("two digests", "one digest", "digests", "one digest", "==", "then two digests"),
        (None, 3.0, "s", 10.0, "<=", "then not measured"),
        (None, None, "s", 10.0, "<=", "the same"),
        (float("nan"), 3.0, "s", 10.0, "<=", "then not a number s"),
    ],
)
def test_the_figure_says_how_far_it_moved(
    then: float, now: float, unit: str, limit: float, comparison: str, expected: str
) -> None:
    """With its unit and a sign; and better or worse where that is more than 5 % of the limit."""
    made = [
        verdict("T5", "held", each, limit, unit=unit, comparison=comparison) for each in (then, now)
    ]

    assert expected == _told(*made)


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ("broken", "held", "was broken, -6 s, better"),
        ("held", "broken", "was held, -6 s, worse"),
        ("held", "inconclusive", "was held, -6 s"),
        ("inconclusive", "held", "was inconclusive, -6 s"),
    ],
)
def test_another_verdict_is_told_first(then: str, now: str, expected: str) -> None:
    """A promise that is broken now is worse, whatever its figure says."""
    assert expected == _told(verdict("T5", then, 18.0), verdict("T5", now, 12.0))


def test_other_units_cannot_be_subtracted() -> None:
    """A clause that broke in another way tells what it was, and counts as changed."""
    then, now = verdict("T5", "broken", 3, unit="records"), verdict("T5", "broken", 12.0)

    found = change(point(then), now)

    assert (found.amount, found.notable) == ("then 3 records", True)


def test_a_text_that_reads_otherwise_is_no_news() -> None:
    """Texts count what was looked at, and differ from run to run."""
    then, now = verdict("T5", "held", "12 of 12"), verdict("T5", "held", "13 of 13")

    assert not change(point(then), now).notable


@pytest.mark.parametrize(
    ("measured", "promised", "comparison", "expected"),
    [
        (12.0, 10.0, "<=", 1.2),
        (12.0, 10.0, ">=", 0.8),
        (12.0, 10.0, "==", 1.2),
        (8.0, 10.0, "==", 1.2),
        (0, 0, "<=", 1.0),
        (3, 0, "<=", 4.0),
        ("text", 10.0, "<=", None),
        (3.0, "text", "<=", None),
        (float("nan"), 10.0, "<=", None),
    ],
)
def test_strain(
    measured: float | str, promised: float | str, comparison: str, expected: float | None
) -> None:
    """One is the limit, and more is worse, whichever side the promise is on."""
    made = verdict("T5", "held", measured, promised, comparison=comparison)

    assert (None if expected is None else pytest.approx(expected)) == strain(made)
