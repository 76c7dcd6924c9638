"""What a terminal shows of a run."""

from harness import terminal
from harness.contract import Outcome, Verdict


def verdict(id_: str, scenario: str, outcome: Outcome = Outcome.HELD) -> Verdict:
    """With a sentence that names its id."""
    return Verdict(id_, "promise", scenario, outcome, 1, 1, "s", "<=", f"{id_} was measured")


MIXED = (
    verdict("T5", "test_kill", Outcome.BROKEN),
    verdict("D3", "test_kill"),
    verdict("O1", "test_surge", Outcome.INCONCLUSIVE),
    verdict("M1", "test_kill"),
    verdict("R1", "test_surge"),
)


def test_what_matters_stands_last() -> None:
    """Held in a line a scenario, then what was not judged, and what is broken at the very end."""
    assert list(terminal.lines(MIXED, each=False)) == [
        "held         test_kill  D3 M1",
        "held         test_surge R1",
        "inconclusive O1  test_surge: O1 was measured",
        "broken       T5  test_kill: T5 was measured",
    ]


def test_each() -> None:
    """Asked for, each held verdict tells what was measured, and the order is the same."""
    told = list(terminal.lines(MIXED, each=True))

    assert told[:3] == [
        "held         D3  test_kill: D3 was measured",
        "held         M1  test_kill: M1 was measured",
        "held         R1  test_surge: R1 was measured",
    ]
    assert told[3:] == list(terminal.lines(MIXED, each=False))[2:]


def test_nothing() -> None:
    """A run without a verdict has no line."""
    assert list(terminal.lines((), each=False)) == []
