"""Why the figures of a run may be worth less than they seem."""

from collections.abc import Iterator, Sequence

from harness.history import Generator
from harness.run import Run
from reports.words import milliseconds, plural, quantity


def weaknesses(run: Run) -> tuple[str, ...]:
    """What the run warned of itself, then what its load generators show."""
    return (*run.warnings, *_late(run), *_unsent(run))


def _late(run: Run) -> Iterator[str]:
    limit_ms = run.limits.lag_p99_ms
    late = [
        [each for each in scenario.history.generators if each.lag_p99_ms > limit_ms]
        for scenario in run.scenarios
    ]
    if any(late):
        most_s = max(each.lag_max_ms for each in _all(late)) / 1000
        yield (
            f"the load generator fell behind its schedule by up to {milliseconds(most_s)}: at p99 "
            f"by more than {milliseconds(limit_ms / 1000)} in {_of_all(late)}"
        )


def _unsent(run: Run) -> Iterator[str]:
    limit = run.limits.unsent_share
    lacking = [
        [each for each in scenario.history.generators if each.unsent_share > limit]
        for scenario in run.scenarios
    ]
    if any(lacking):
        most = quantity(max(each.unsent_share for each in _all(lacking)), "share")
        yield (
            f"the load generator left up to {most} of the planned requests unsent: "
            f"more than {quantity(limit, 'share')} in {_of_all(lacking)}"
        )


def _all(of_scenarios: Sequence[Sequence[Generator]]) -> Iterator[Generator]:
    return (each for generators in of_scenarios for each in generators)


def _of_all(of_scenarios: Sequence[Sequence[Generator]]) -> str:
    concerned = sum(bool(each) for each in of_scenarios)
    return f"{concerned} of {plural(len(of_scenarios), 'scenario')}"
