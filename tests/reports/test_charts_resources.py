"""What containers used, by place in the fleet; and readiness against the truth."""

from dataclasses import replace

import numpy as np
import pytest

from harness.history import Event, History
from harness.run import Scenario
from harness.tables import USAGE, table
from harness.truth import Confusion, Truth
from reports.charts.chart import Chart
from reports.charts.places import places
from reports.charts.quota import Quota, quota
from reports.charts.replicas import replicas
from reports.charts.resource_row import filled, strokes
from reports.charts.resources import memory, processors
from reports.charts.scene import Scene, Terms, scene
from tests.reports import sample
from tests.reports.reading import read

_MB = 2**20
_CONDITIONS = Terms(conditions={"replica limits": "0.5 CPU, 256 MB"})


def _lives() -> tuple[Event, ...]:
    """One replica that dies after four seconds, and its replacement from then on."""
    return (
        Event(-5.0, "replica.ordered", "replica-1", {"slot": 0, "predecessor": None}),
        Event(-4.0, "replica.started", "replica-1"),
        Event(4.0, "replica.died", "replica-1", {"exit_code": 137}),
        Event(4.0, "replica.ordered", "replica-2", {"slot": 0, "predecessor": "replica-1"}),
        Event(5.0, "replica.started", "replica-2"),
    )


def _scene(*rows: tuple[object, ...], terms: Terms = _CONDITIONS) -> Scene:
    history = History("use", 0.0, 10.0, usage=table(USAGE, rows), events=_lives())
    return scene(Scenario("use", "", "", "", history), terms)


def _used() -> Scene:
    """A quarter of a processor until the death; a half, and throttled, after it."""
    before = ((b"replica-1", float(t), 7 + t / 4, 64 * _MB, 0.0) for t in range(5))
    after = ((b"replica-2", 5.0 + t, t / 2, 128 * _MB, t / 10) for t in range(1, 6))
    beside = ((b"balancer-1", float(t), t / 8, 16 * _MB, 0.0) for t in range(11))
    return _scene(*before, *after, *beside)


def _drawn(chart: Chart | None) -> Chart:
    assert chart is not None
    return chart


def test_replacement_goes_on_in_its_place() -> None:
    """One row, from the first replica to the one that took over, and its rates step by step."""
    chart = _drawn(processors(_used()))
    first = chart.series[0]

    assert [each.name for each in chart.series] == ["replica-1→2", "balancer"]
    assert first.at_s == tuple(float(second) for second in range(10))
    assert first.values == (*(0.25,) * 4, None, *(0.5,) * 5)
    assert chart.series[1].values == (0.125,) * 10


def test_rows_are_as_high_as_the_quota() -> None:
    """Half of what a replica may use is drawn half as high as its row, of 22 px."""
    chart = _drawn(processors(_used()))
    paths = read(str(chart.picture)).find("path", "used")

    assert chart.note.startswith("of the 0.5 processors that each replica may use")
    assert paths[0].attributes["d"] == "M0 22H0V11H400V22zM500 22H500V0H1000V22z"


def test_throttling_and_death_are_marked() -> None:
    """Where the quota held it back for a tenth of the time, and where it died."""
    picture = read(str(_drawn(processors(_used())).picture))

    assert [p.attributes["d"] for p in picture.find("path", "held-back")] == ["M500 20.5H1000"]
    assert picture.find("text", "died")[0].words == "✕replica-1 died at 4 s with exit code 137"
    assert picture.find("text", "died")[0].attributes["x"] == "40.0%"


def test_memory_is_told_in_the_quotas_unit() -> None:
    """Samples in bytes, a quota of 256 MB."""
    chart = _drawn(memory(_used()))

    assert chart.note.startswith("of the 256 MB that each replica may use")
    assert chart.series[0].values == (*(64.0,) * 5, None, *(128.0,) * 4)
    assert chart.data is not None
    assert [row[2].split()[0] for row in chart.data.rows] == ["128", "16"]


def test_unknown_quota_is_not_made_up() -> None:
    """Without the condition the rows reach to the most that was seen, and the note says so."""
    used = _used()
    chart = _drawn(processors(replace(used, terms=Terms())))

    assert chart.note.startswith("up to 0.5\N{NO-BREAK SPACE}CPU, the most seen")
    assert quota(used.history, {"replica limits": "plenty"}) == Quota()


def test_lowered_quota_counts() -> None:
    """What a scenario leaves its replicas is what they are held against."""
    lowered = Event(1.0, "replicas.limited", "use", {"cpus": 0.15})
    history = History("use", 0.0, 10.0, events=(lowered,))

    assert quota(history, {"replica limits": "1 CPU, 512 MB"}) == Quota(0.15, 512 * _MB)


def test_unsampled_scenario_has_no_chart() -> None:
    """No samples, no empty figure; nor where each container has but one, of its processor time."""
    assert processors(_scene()) is None
    assert memory(_scene()) is None
    once = _scene((b"replica-1", 3.0, 9.0, _MB, 0.0))
    assert processors(once) is None
    assert memory(once) is not None


def test_area_has_gaps_and_strokes_join() -> None:
    """What is unknown is left white."""
    assert filled([1.0, None, 2.0, 2.0], [0, 1, 2, 3, 4], 9) == "M0 9H0V1H1V9zM2 9H2V2H4V9z"
    assert filled([None], [0, 1], 9) == ""
    assert strokes([True, True, False, True], [0, 1, 2, 3, 4], 9) == "M0 7.5H2M3 7.5H4"


def test_places_follow_the_slots() -> None:
    """Three places for four replicas, in the platform's order."""
    found = places(sample.kill_scenario(10).history)

    assert [each.label for each in found] == ["replica-1", "replica-2→4", "replica-3"]
    assert found[1].names == "replica-2, then replica-4"


def test_lives_that_overlap_have_places_of_their_own() -> None:
    """Two replicas of one slot at a time do not hide each other."""
    born = [
        Event(at_s, "replica.ordered", name, {"slot": 0, "predecessor": None})
        for at_s, name in ((0.0, "a"), (1.0, "b"))
    ]

    assert [each.label for each in places(History("x", 0.0, 5.0, events=tuple(born)))] == ["a", "b"]


def test_many_places_are_cut_with_a_word() -> None:
    """The note says how many places were left out of the picture; the table names all."""
    events = tuple(
        Event(0.0, "replica.ordered", f"r-{n}", {"slot": n, "predecessor": None}) for n in range(40)
    )
    chart = replicas(scene(Scenario("many", "", "", "", History("many", 0.0, 5.0, events=events))))

    assert chart.note.endswith("; the first 32 of 40 places are drawn")
    assert len(read(str(chart.picture)).find("text", "margin")) == 32
    assert chart.data is not None
    assert len(chart.data.rows) == 40


def test_false_readiness_is_said_under_the_chart() -> None:
    """A replica that lied for longer than it may is named; all are in a table."""
    lied = Truth("replica-2", 40, Confusion(9.0, 3.5, 0.0, 1.0, 3.0), Confusion(9.0, 0.0, 3.5))
    brief = Truth("replica-1", 40, Confusion(12.0, 0.5, 0.0, 0.0, 0.5), Confusion(12.5))
    chart = replicas(scene(replace(sample.kill_scenario(10), readiness=(brief, lied))))

    said = "replica-2 said that it was ready and could not answer for 3.5 s, "
    said += "3 s of it without a break."
    assert [" ".join(each.split()) for each in chart.remarks] == [said]
    assert chart.more is not None
    assert [row[:2] for row in chart.more.rows][2:] == [
        ("replica-2", "its own word"),
        ("replica-2", "the balancer"),
    ]


@pytest.mark.parametrize("terms", [Terms(), _CONDITIONS])
def test_odd_samples_are_drawn(terms: Terms) -> None:
    """Counters that go back, samples that are no numbers, a container that nobody ordered."""
    rows = (
        (b"replica-1", 1.0, 5.0, _MB, 0.0),
        (b"replica-1", 2.0, 1.0, _MB, 0.0),
        (b"replica-1", 3.0, np.nan, _MB, 0.0),
        (b"stranger", 3.0, 0.0, 0.0, 0.0),
        (b"stranger", 4.0, 0.0, 0.0, 0.0),
    )
    for chart in (processors(_scene(*rows, terms=terms)), memory(_scene(*rows, terms=terms))):
        assert "nan" not in str(_drawn(chart).picture)
        assert "inf" not in str(_drawn(chart).picture)
