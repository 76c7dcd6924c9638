"""The catalogue of clauses, and what holds for all of them."""

from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clauses import catalogue, collect, named
from harness.contract import Limits, Outcome, clause, judge
from harness.errors import ConfigurationError
from harness.history import History
from tests.clauses.histories import Story
from tests.clauses.telling import shuffled

IDS = ("D3", "D5", "M1", "N2", "R1", "R3", "S2", "S8", "T5")


def whole_story() -> Story:
    """A scenario in which every promise is put to the test, and kept."""
    story = Story(lasting_s=40).fleet(9).requests().kill("replica-2", at_s=15)
    return story.probes()


def troubled_story() -> Story:
    """A scenario in which several promises are broken."""
    story = whole_story().request("r-1800", status=14).lose_record("r-10", "r-11", "r-1900")
    return story.request("r-1801", correct=0).request("r-2000", replica="replica-2")


def test_all_there() -> None:
    """The catalogue holds each clause once, under its own id."""
    assert tuple(catalogue()) == IDS
    assert all(each.id == id_ for id_, each in catalogue().items())


def test_named() -> None:
    """Clauses come in the order asked for."""
    assert [each.id for each in named("T5", "D3")] == ["T5", "D3"]


def test_unknown() -> None:
    """An unknown id is an error that lists those there are."""
    with pytest.raises(ConfigurationError, match=r"nobody defines X1; there are D3, D5, .*T5"):
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


def test_all_hold() -> None:
    """A scenario in which nothing goes wrong keeps every promise."""
    verdicts = judge(catalogue().values(), whole_story().told(), Limits())

    assert {each.id: each.verdict for each in verdicts} == dict.fromkeys(IDS, Outcome.HELD)


def test_nothing_seen() -> None:
    """An empty history holds no promise and breaks none: nothing is held for want of evidence."""
    verdicts = judge(catalogue().values(), History("empty", 0.0, 10.0), Limits())

    assert {each.verdict for each in verdicts} == {Outcome.INCONCLUSIVE}
    assert not any("the clause itself failed" in each.sentence for each in verdicts)


@pytest.mark.parametrize("story", [whole_story, troubled_story])
def test_plain_values(story: object) -> None:
    """Findings hold Python's own types, at most eight lines of evidence, and one sentence."""
    assert callable(story)
    for each in catalogue().values():
        finding = each(story().told())

        assert type(finding.held) is bool
        assert {type(finding.measured), type(finding.promised)} <= {int, float, str}
        assert len(finding.evidence) <= 8
        assert finding.sentence
        assert "\n" not in finding.sentence


TOLD = troubled_story().told()
VERDICTS = judge(catalogue().values(), TOLD, Limits())


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_rows(seed: int) -> None:
    """The order of the rows never changes a verdict, nor its evidence."""
    assert judge(catalogue().values(), shuffled(TOLD, seed), Limits()) == VERDICTS
