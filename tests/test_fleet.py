"""The lives of replicas, and who had which address."""

import numpy as np
import pytest

from harness.fleet import lives
from harness.history import Event
from harness.serving import (
    NOBODY,
    STRANGER,
    answered_by,
    distinct,
    holder,
    sent_to,
    upstreams,
)
from tests.clauses.histories import Story
from tests.clauses.telling import BEGAN_S, DIGEST


def test_a_whole_life() -> None:
    """A life holds the instant of every step, and what was told at it."""
    life = lives(Story().fleet(2).kill("replica-2", at_s=5).told().events)["replica-2"]

    assert life.ordered_s == BEGAN_S - 5
    assert life.started_s == pytest.approx(life.ordered_s + 0.3)
    assert (life.cold_start_s, life.time_to_ready_s) == (1.5, 1.5)
    assert (life.version, life.digest, life.golden_difference) == ("1", DIGEST, 0.0)
    assert (life.address, life.hostname) == ("10.0.0.2:9000", "host-2")
    assert life.died_s == pytest.approx(BEGAN_S + 5.005)
    assert life.exit_code == 137


def test_replacement() -> None:
    """A replacement knows whom it replaces."""
    fleet = lives(Story().fleet(2).kill("replica-2", at_s=5).told().events)

    assert fleet["replica-3"].predecessor == "replica-2"
    assert fleet["replica-1"].predecessor is None


def test_unfinished() -> None:
    """Steps that never came are None, and so are the times made of them."""
    life = lives(Story().start("replica-1", at_s=0, took_s=None).told().events)["replica-1"]

    assert life.ready_s is None
    assert (life.cold_start_s, life.time_to_ready_s, life.died_s) == (None, None, None)


def test_first_and_last() -> None:
    """The first time ready and routed counts, and the last time unrouted."""
    steps = ("ordered", "ready", "routed", "unrouted", "ready", "routed", "unrouted")
    details = {"slot": 1, "predecessor": None}
    events = [
        Event(float(time_s), f"replica.{step}", "replica-1", details)
        for time_s, step in enumerate(steps)
    ]

    life = lives(events)["replica-1"]

    assert (life.ready_s, life.routed_s, life.unrouted_s) == (1.0, 2.0, 6.0)


def test_unknown_replica() -> None:
    """Events about someone who was never ordered make no life."""
    assert lives([Event(1.0, "replica.ready", "replica-9"), Event(2.0, "probe", "x")]) == {}


def test_address_changes_hands() -> None:
    """An address means the replica that was last ordered with it, and no one before the first."""
    story = Story().fleet(2).requests(rate_rps=10)
    story.kill("replica-2", at_s=5, address="10.0.0.2:9000")
    history = story.told()
    fleet = lives(history.events)

    def at(time_s: float) -> str | None:
        life = holder(fleet, "10.0.0.2:9000", BEGAN_S + time_s)
        return None if life is None else life.name

    assert (at(-60), at(1), at(5.2), at(6)) == (None, "replica-2", "replica-2", "replica-3")
    everything = np.ones(len(history.access), dtype=bool)
    old = sent_to(history.access, fleet, fleet["replica-2"], everything)
    new = sent_to(history.access, fleet, fleet["replica-3"], everything)
    assert old.any()
    assert new.any()
    assert not (old & new).any()


def test_who_answered() -> None:
    """Answers name replicas by name or hostname; others are nobody or strangers."""
    fleet = lives(Story().fleet(2).told().events)
    names = np.array([b"replica-2", b"host-1", b"", b"someone"], dtype="S40")

    assert answered_by(names, fleet).tolist() == [1, 0, NOBODY, STRANGER]
    assert answered_by(names[:0], fleet).tolist() == []


@pytest.mark.parametrize("cells", [[], [b"a"], [b"a", b"a"], [b"b", b"a", b"b"]])
def test_distinct(cells: list[bytes]) -> None:
    """The index leads each row back to its text."""
    texts, index = distinct(np.array(cells, dtype="S4"))

    assert [texts[place].encode() for place in index] == cells
    assert len(set(texts)) == len(texts)


def test_upstreams() -> None:
    """The log separates upstreams by commas, and by colons after a redirect."""
    assert upstreams("10.0.0.1:9, 10.0.0.2:9 : 10.0.0.3:9") == [
        "10.0.0.1:9",
        "10.0.0.2:9",
        "10.0.0.3:9",
    ]
    assert upstreams("") == []
