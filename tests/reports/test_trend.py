"""Each clause over the last runs."""

import re
from dataclasses import replace

from harness.contract import Verdict
from harness.run import Run
from reports.charts.sparkline import HEIGHT, WIDTH, sparkline
from reports.digest import Digest, digest, point
from reports.trend import RUNS, Trend, trends
from tests.reports import sample
from tests.reports.sample import verdict


def _run(*verdicts: Verdict) -> Run:
    names = dict.fromkeys(each.scenario for each in verdicts)
    return sample.run(
        *(
            sample.kill_scenario(
                20, name=name, verdicts=tuple(v for v in verdicts if v.scenario == name)
            )
            for name in names
        )
    )


def _earlier(*measured: float | str | None, **changes: object) -> tuple[Digest, ...]:
    """Runs on the days of November, each with one verdict on T5."""
    return tuple(
        replace(
            digest(_run(verdict("T5", "held", value, **changes))),  # type: ignore[arg-type]
            id=f"run-{day}",
            began_at=f"2026-11-{day:02}T14:03:12+00:00",
        )
        for day, value in enumerate(measured, start=1)
    )


def _column(trend: Trend, name: str) -> list[str]:
    place = trend.data.columns.index(name)
    return [row[place].replace("\N{NO-BREAK SPACE}", " ") for row in trend.data.rows]


def test_two_earlier_runs_make_a_trend() -> None:
    """Fewer are a comparison; this run is the last point."""
    run = _run(verdict("T5", "broken", 12.0))

    (found,) = trends(run, _earlier(3.0, 4.0))

    assert trends(run, _earlier(4.0)) == ()
    assert _column(found, "measured") == ["3 s", "4 s", "12 s"]
    assert _column(found, "verdict") == ["✓ held", "✓ held", "✗ broken"]
    assert _column(found, "run") == ["1 Nov 14:03", "2 Nov 14:03", "21 Nov 14:03"]
    assert "3 runs: 2 held, 1 broken; last 12" in found.picture


def test_only_the_last_runs_are_drawn() -> None:
    """Twenty at most, and the newest of them."""
    (found,) = trends(_run(verdict("T5", "held", 99.0)), _earlier(*map(float, range(1, 29))))

    assert len(found.data.rows) == RUNS
    assert _column(found, "measured")[-3:] == ["27 s", "28 s", "99 s"]


def test_worst_scenario_speaks_for_a_run() -> None:
    """The worst verdict first, then what strains its limit most, and only where this run was."""
    one, two = verdict("T5", "held", 5.0), verdict("T5", "held", 60.0, 100.0, scenario="b")
    elsewhere = verdict("T5", "broken", 70.0, scenario="c")
    broken = replace(two, verdict=elsewhere.verdict, measured=101.0)
    earlier = tuple(
        replace(digest(_run(*verdicts)), id=str(place))
        for place, verdicts in enumerate(((one, two, elsewhere), (one, broken)))
    )

    (found,) = trends(_run(one, two), earlier)

    assert _column(found, "measured") == ["60 s", "101 s", "60 s"]


def test_runs_without_the_clause_leave_no_gap() -> None:
    """A run that did not judge a clause is no point of its trend."""
    earlier = _earlier(3.0, 4.0)
    empty = replace(earlier[0], id="empty", points=())

    (found,) = trends(_run(verdict("T5", "held", 5.0)), (earlier[0], empty, earlier[1]))

    assert _column(found, "measured") == ["3 s", "4 s", "5 s"]


def _marks(*verdicts: Verdict) -> dict[str, list[tuple[float, float]]]:
    """Where marks are, by verdict."""
    drawn = sparkline([point(each) for each in verdicts], "label")
    paths = re.findall(r'<path class="(\w+)" d="([^"]+)"', drawn)
    assert len({re.sub(r"M[\d.]+ [\d.]+", "", path[:40]) for _, path in paths}) == len(paths)
    return {
        kind: [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)", path)]
        for kind, path in paths
    }


def test_marks_stand_at_their_values() -> None:
    """From left to right, higher for more, each verdict in a shape of its own."""
    marks = _marks(
        verdict("T5", "held", 0.0), verdict("T5", "broken", 20.0), verdict("T5", "inconclusive", 10)
    )

    assert list(marks) == ["held", "broken", "inconclusive"]
    ((first, low),) = marks["held"]
    ((_, high),) = marks["broken"]
    ((last, middle),) = marks["inconclusive"]
    assert (first, last) == (6.0, WIDTH - 6)
    assert high == 6.0
    assert middle == (low + high) / 2


def test_run_without_a_number_stands_under_the_line() -> None:
    """The line is broken there, and the mark says the verdict."""
    made = [verdict("T5", "held", value) for value in (1.0, 2.0, None, 3.0, 4.0)]
    drawn = sparkline([point(each) for each in made], "label")
    ys = [y for _, y in _marks(*made)["held"]]

    assert ys[2] == max(ys) > HEIGHT - 10
    assert drawn.count('<path d="M') == 2


def test_limit_is_drawn_only_where_it_was_the_same() -> None:
    """A line across all runs would be wrong for those that promised something else."""
    same = [point(verdict("T5", "held", 5.0, 10.0))] * 3
    other = [*same, point(verdict("T5", "held", 5.0, 12.0))]

    assert 'class="limit"' in sparkline(same, "label")
    assert 'class="limit"' not in sparkline(other, "label")
