"""What a terminal shows of a run: first what was held, last what a person has to look at."""

from collections.abc import Iterable, Iterator, Sequence

from harness.contract import Outcome, Verdict

_WORST_LAST = (Outcome.HELD, Outcome.INCONCLUSIVE, Outcome.BROKEN)


def lines(verdicts: Sequence[Verdict], *, each: bool) -> Iterator[str]:
    """A line for each scenario with all that it held, then one for each other verdict.

    ``each``: what was held gets a line a verdict as well, with what was measured.
    """
    held = [verdict for verdict in verdicts if verdict.verdict is Outcome.HELD]
    yield from map(_in_full, held) if each else _by_scenario(held)
    others = [verdict for verdict in verdicts if verdict.verdict is not Outcome.HELD]
    yield from map(_in_full, sorted(others, key=lambda one: _WORST_LAST.index(one.verdict)))


def _in_full(verdict: Verdict) -> str:
    return f"{verdict.verdict:12} {verdict.id:3} {verdict.scenario}: {verdict.sentence}"


def _by_scenario(held: Iterable[Verdict]) -> Iterator[str]:
    ids: dict[str, list[str]] = {}
    for verdict in held:
        ids.setdefault(verdict.scenario, []).append(verdict.id)
    width = max(map(len, ids), default=0)
    for scenario, its in ids.items():
        yield f"{Outcome.HELD:12} {scenario:{width}} {' '.join(its)}"
