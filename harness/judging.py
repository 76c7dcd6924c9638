"""The ``contract`` fixture: what a scenario must hold, and the outcome of its test."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.history import History
from harness.ledger import Entry, Ledger, demand


@dataclass(frozen=True, slots=True)
class Contract:
    """The promises that the service makes, held against what happened."""

    ledger: Ledger
    entry: Entry
    history: Callable[[], History]

    def must_hold(self, *ids: str) -> None:
        """Judge this scenario. Fails the test where a clause is broken or cannot be judged."""
        __tracebackhide__ = True
        self.entry.history = self.history()
        demand(self.ledger.judge(self.entry, ids, self.entry.history, "scenario"))

    def must_hold_over_the_run(self, *ids: str) -> None:
        """Judge all scenarios of this run so far together: for promises that need many samples."""
        __tracebackhide__ = True
        self.entry.history = self.history()
        everything = self.ledger.whole_run(self.entry.name)
        demand(self.ledger.judge(self.entry, ids, everything, "run"))
