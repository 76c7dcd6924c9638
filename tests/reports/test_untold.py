"""What a scenario's message says beyond its verdicts."""

from dataclasses import replace

import pytest

from harness.ledger import BrokenError, demand
from reports.untold import untold
from tests.reports import sample

_BROKEN = (
    sample.verdict("T5", "broken", 3, sentence="3 were lost", evidence=("r-1", "r-10")),
    sample.verdict("N2", "broken", 12.0, sentence="it took 12 s", evidence=("r-1",)),
    sample.verdict("D3", "held", 0),
)


def _message() -> str:
    with pytest.raises(BrokenError) as caught:
        demand(_BROKEN)
    return f"BrokenError: {caught.value}"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (_message(), ""),
        (f"{_message()}; EngineError: it is gone", "EngineError: it is gone"),
        ("AssertionError: assert 3 < 2", "AssertionError: assert 3 < 2"),
        ("", ""),
    ],
)
def test_only_news_is_left(message: str, expected: str) -> None:
    """What the harness itself writes of broken clauses goes, and nothing else does."""
    scenario = replace(sample.kill_scenario(20, verdicts=_BROKEN), message=message)

    assert untold(scenario) == expected
