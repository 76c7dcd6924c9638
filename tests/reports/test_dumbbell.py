"""One verdict then and now on the scale of its limit."""

import re

import pytest

from reports.charts.dumbbell import dumbbell
from reports.digest import point
from tests.reports.sample import verdict


@pytest.mark.parametrize(
    ("then", "now", "limit", "comparison_", "places"),
    [
        (5.0, 10.0, 10.0, "<=", (33.33, 66.67)),
        (10.0, 20.0, 10.0, "<=", (66.67, 100.0)),
        (0, 4, 0, "<=", (66.67, 100.0)),
        (0, 0, 0, "<=", (66.67, 66.67)),
        (90.0, 99.0, 100.0, ">=", (60.0, 66.0)),
    ],
)
def test_dumbbell_is_drawn_in_limits(
    then: float, now: float, limit: float, comparison_: str, places: tuple[float, float]
) -> None:
    """The limit stands at two thirds of the width, whatever it is, and what is beyond is marked."""
    before, after = (
        verdict("T5", "held", each, limit, comparison=comparison_) for each in (then, now)
    )
    drawn = dumbbell(point(before), after)
    found = dict(re.findall(r'<circle class="(then|now)[^"]*" cx="([\d.]+)%"', drawn))

    assert places == (float(found["then"]), float(found["now"]))
    assert ("beyond" in drawn) == (now / (limit or 4) > 1.5)


@pytest.mark.parametrize("broken_side", [("<=", "66.67", "33.33"), (">=", "0.0", "66.67")])
def test_dumbbell_shades_the_side_that_breaks(broken_side: tuple[str, str, str]) -> None:
    """Above a maximum, or below a minimum."""
    which, left, width = broken_side
    drawn = dumbbell(
        point(verdict("T5", "held", 5.0)), verdict("T5", "held", 5.0, comparison=which)
    )

    assert f'class="breach" x="{left}%" width="{width}%"' in drawn


@pytest.mark.parametrize(
    ("measured", "promised"),
    [("one", 1.0), (None, 1.0), (1.0, "one"), (-1.0, 1.0), (1.0, -1.0), (float("inf"), 1.0)],
)
def test_what_has_no_place_on_the_scale_is_not_drawn(
    measured: float | str | None, promised: float | str
) -> None:
    """Texts, missing and endless values stand in the table alone."""
    made = verdict("T5", "held", measured, promised)

    assert dumbbell(point(made), made) == ""


def test_value_that_was_not_measured_then_is_drawn_alone() -> None:
    """There is no handle between a value and none."""
    drawn = dumbbell(point(verdict("T5", "inconclusive", None)), verdict("T5", "held", 5.0))

    assert ("handle" in drawn, drawn.count("<circle")) == (False, 1)
