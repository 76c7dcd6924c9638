"""What a run says of the machine that it ran on."""

from pathlib import Path

import pytest

from harness import machine


@pytest.mark.parametrize(
    ("before_s", "after_s", "duration_s", "expected"),
    [(1.0, 1.0, 10.0, 0.0), (1.0, 3.0, 10.0, 0.1), (None, 3.0, 10.0, None), (1.0, 3.0, 0.0, None)],
)
def test_stolen_share(
    monkeypatch: pytest.MonkeyPatch,
    before_s: float | None,
    after_s: float | None,
    duration_s: float,
    expected: float | None,
) -> None:
    """Time that was stolen is told as a share of what all processors had, or not at all."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    assert machine.stolen_share(before_s, after_s, duration_s) == expected


def test_conditions_are_complete(tmp_path: Path) -> None:
    """A run outside of a repository has a commit too: one that is unknown."""
    told = machine.conditions(tmp_path)

    assert told["commit"] == "unknown"
    assert all(told.values())
