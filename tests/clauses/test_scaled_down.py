"""R1 and replicas that the platform ended itself: scaled down, or stopped after a measurement."""

from dataclasses import replace

import pytest

from harness.clauses.readiness import always_live
from harness.contract import Finding
from harness.fleet import lives
from harness.history import Event
from tests.clauses.histories import Story


def ended(*, exit_code: int, stopping: bool) -> Finding:
    """R1 of a replica that ends at 8 s, with or without an order to end one second earlier."""
    history = Story().fleet(3).fault("stop", "postgres", at_s=5).probes().told()
    began_s = history.began_s
    events = [e for e in history.events if not (e.subject == "replica-3" and e.kind == "probe")]
    if stopping:
        reason = {"reason": "scaled down"}
        events.append(Event(began_s + 7, "replica.stopping", "replica-3", reason))
    events.append(Event(began_s + 8, "replica.died", "replica-3", {"exit_code": exit_code}))
    assert (lives(events)["replica-3"].stopping_s is not None) == stopping
    return always_live(replace(history, events=tuple(events)))


@pytest.mark.parametrize("exit_code", [0, 143, 137])
def test_ordered_end(exit_code: int) -> None:
    """An end that was ordered is no death, even where it took SIGKILL after the grace."""
    assert ended(exit_code=exit_code, stopping=True).held


def test_crash_while_draining() -> None:
    """A crash is one, also on the way out."""
    assert ended(exit_code=139, stopping=True).held is False


def test_killed_without_an_order() -> None:
    """SIGKILL that nobody ordered is an unbidden death."""
    assert ended(exit_code=137, stopping=False).held is False
