"""The catalogue of clauses, and what holds for all of them."""

from collections.abc import Callable
from functools import cache
from types import ModuleType, NoneType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clauses import catalogue, collect, named
from harness.contract import Limits, Outcome, Verdict, clause, judge
from harness.errors import ConfigurationError
from harness.history import History
from tests.clauses.histories import Story
from tests.clauses.kept import burst_story, shutdown_story, storage_story, surge_story
from tests.clauses.telling import shuffled
from tests.clauses.witnessing import readiness_story, troubled_readiness

IDS = (
    *("D3", "D4", "D5", "D6", "L1", "M1", "M4", "N1", "N2", "N4", "N5"),
    *("O1", "O2", "O3", "O4", "O5", "R1", "R2", "R3", "R4", "R5", "R6"),
    *("S2", "S4", "S5", "S7", "S8", "T1", "T5"),
)


def whole_story() -> Story:
    """A scenario in which every promise is put to the test, and kept."""
    story = Story(lasting_s=40).fleet(9).requests().kill("replica-2", at_s=15)
    return story.probes()


def troubled_story() -> Story:
    """A scenario in which several promises are broken."""
    story = whole_story().request("r-1800", status=14).lose_record("r-10", "r-11", "r-1900")
    return story.request("r-1801", correct=0).request("r-2000", replica="replica-2")


def troubled_surge() -> Story:
    """A surge in which what is admitted is slow, what is refused is untyped, and nothing heals."""
    story = surge_story().meanwhile(22, 44, every=3, status=13, took_s=0.5)
    story.meanwhile(23, 33, every=4, took_s=1.5).meanwhile(46, 60, every=7, status=14)
    story.meanwhile(60, 65, took_s=0.3).meanwhile(70, 85, every=2, status=14)
    return story.lose_record("r-10000")


STORIES = (
    *(whole_story, surge_story, burst_story),
    *(storage_story, readiness_story, shutdown_story),
)


@cache
def judged(story: Callable[[], Story]) -> tuple[Verdict, ...]:
    """The verdicts of all clauses on one story."""
    return judge(catalogue().values(), story().told(), Limits())


def test_all_there() -> None:
    """The catalogue holds each clause once, under its own id."""
    assert tuple(catalogue()) == IDS
    assert all(each.id == id_ for id_, each in catalogue().items())


def test_named() -> None:
    """Clauses come in the order asked for."""
    assert [each.id for each in named("T5", "D3")] == ["T5", "D3"]


def test_unknown() -> None:
    """An unknown id is an error that lists those there are."""
    with pytest.raises(ConfigurationError, match=r"nobody defines X1; there are D3, D4, .*T5"):
        named("T5", "X1")


def test_twice() -> None:
    """Two clauses of one id are an error, and the same clause imported twice is none."""
    first, again, other = ModuleType("first"), ModuleType("again"), ModuleType("other")
    vars(first)["kept"] = vars(again)["kept"] = catalogue()["T5"]
    vars(other)["kept"] = clause("T5", "something else")(lambda *_: None)  # type: ignore[arg-type]

    assert list(collect([first, again])) == ["T5"]
    with pytest.raises(
        ConfigurationError, match="two clauses are called T5, in first and in other"
    ):
        collect([first, other])


@pytest.mark.parametrize("id_", IDS)
def test_all_hold(id_: str) -> None:
    """Each promise is kept in a scenario that puts it to the test, and broken in none of these."""
    verdicts = {each.verdict for story in STORIES for each in judged(story) if each.id == id_}

    assert Outcome.HELD in verdicts
    assert Outcome.BROKEN not in verdicts


def test_nothing_seen() -> None:
    """An empty history holds no promise and breaks none: nothing is held for want of evidence."""
    verdicts = judge(catalogue().values(), History("empty", 0.0, 10.0), Limits())

    assert {each.verdict for each in verdicts} == {Outcome.INCONCLUSIVE}
    assert not any("the clause itself failed" in each.sentence for each in verdicts)


@pytest.mark.parametrize("story", [*STORIES, troubled_story, troubled_surge, troubled_readiness])
def test_plain_values(story: Callable[[], Story]) -> None:
    """Findings hold Python's own types, at most eight lines of evidence, and one sentence."""
    history = story().told()
    for each in catalogue().values():
        finding = each(history)

        assert type(finding.held) in {bool, NoneType}
        assert {type(finding.measured), type(finding.promised)} <= {int, float, str, NoneType}
        assert (finding.measured is None) == (finding.held is None)
        assert len(finding.evidence) <= 8
        assert finding.sentence
        assert "\n" not in finding.sentence


TOLD = {story: story().told() for story in (troubled_story, troubled_surge, troubled_readiness)}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), story=st.sampled_from(list(TOLD)))
def test_order_of_rows(seed: int, story: Callable[[], Story]) -> None:
    """The order of the rows never changes a verdict, nor its evidence."""
    verdicts = judge(catalogue().values(), shuffled(TOLD[story], seed), Limits())

    assert verdicts == judged(story)
