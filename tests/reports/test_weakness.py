"""What a reader has to know before the figures."""

from dataclasses import replace

from harness.run import Run, Scenario
from reports.page import render
from reports.weakness import weaknesses
from tests.reports import sample
from tests.reports.reading import read


def scenario(**generator: float) -> Scenario:
    """A scenario whose load generator did this."""
    known = sample.kill_scenario(100)
    (steady,) = known.history.generators
    changed = replace(steady, **generator)  # type: ignore[arg-type]
    return replace(known, history=replace(known.history, generators=(changed,)))


def told(run: Run) -> list[str]:
    """The weaknesses with plain spaces."""
    return [each.replace("\N{NO-BREAK SPACE}", " ") for each in weaknesses(run)]


def test_strong_measurement() -> None:
    """Where the load generator kept to its schedule there is nothing to say."""
    assert told(sample.run(scenario(), scenario(lag_p99_ms=2.0, lag_max_ms=40.0))) == []


def test_late_generator() -> None:
    """A generator that fell behind is told with the longest lag, and in how many scenarios."""
    run = sample.run(
        scenario(lag_p99_ms=3.5, lag_max_ms=40.25),
        scenario(lag_p99_ms=2.5, lag_max_ms=12.0),
        scenario(lag_max_ms=99.0),
    )

    assert told(run) == [
        (
            "the load generator fell behind its schedule by up to 40.2 ms: "
            "at p99 by more than 2 ms in 2 of 3 scenarios"
        )
    ]


def test_unsent_requests() -> None:
    """Requests that were planned and never sent are told with the largest share."""
    run = sample.run(scenario(planned=100, sent=95), scenario(planned=100, sent=99))

    assert told(run) == [
        (
            "the load generator left up to 5 % of the planned requests unsent: "
            "more than 1 % in 1 of 2 scenarios"
        )
    ]


def test_on_the_page_after_what_the_run_told() -> None:
    """The page shows both kinds, above the conditions and the scorecard."""
    verdicts = (sample.verdict("T1", "held", 1.0),)
    late = replace(scenario(lag_p99_ms=3.5, lag_max_ms=40.25), verdicts=verdicts)
    content = render(sample.run(late, warnings=("the machine was busy",)))
    warnings = [each.words for each in read(content).find("section", "warnings")[0].find("li")]

    assert warnings[0] == "⚠ the machine was busy"
    assert warnings[1].startswith("⚠ the load generator fell behind its schedule by up to 40.2")
    places = [content.index(f'class="{each}"') for each in ("warnings", "conditions", "scorecard")]
    assert places == sorted(places)
