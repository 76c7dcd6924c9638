"""Shutdown: what a replica makes of the time between being told to stop and being made to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.clauses._wording import at, count, earliest, few, gravest, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import FaultRecord, History
from harness.serving import began_s, sent_to, upstreams
from harness.tables import Table, text

_BY_ITSELF = (0, 143)  # done, or ended by SIGTERM itself
_SIGKILLED = 137


@clause("T1", "A replica that is told to stop ends by itself, in time, and cuts no call short")
def stops_by_itself(history: History, limits: Limits) -> Finding:
    """After how long it ended, with which exit code, and what became of the calls at it."""
    stops = sorted(_stops(history), key=lambda each: (-each.lasted_s, each.life.name))
    if not stops:
        return missing(limits.stop_within_s, "s", "no replica was told to stop")
    return gravest(each.judge(history, limits) for each in stops)


@dataclass(frozen=True, slots=True)
class _Stop:
    """One replica that was told to stop, and its calls from then on: lines of the access log."""

    life: Life
    told_s: float
    calls: Table

    @property
    def lasted_s(self) -> float:
        """Seconds until it ended; infinity where that was not seen."""
        return float("inf") if self.life.died_s is None else self.life.died_s - self.told_s

    def judge(self, history: History, limits: Limits) -> Finding:
        name, code, cut = self.life.name, self.life.exit_code, self._cut_short()
        if self.life.died_s is None or code is None:
            reason = f"the end of {name}, told to stop at {at(history, self.told_s)}, was not seen"
            return missing(limits.stop_within_s, "s", reason)
        after = f"{self.lasted_s:.2f} s after it was told to stop"
        calls = (
            f"{len(cut):,} of {count(len(self.calls), 'call')} that it had then, or was sent later,"
            f" {'was' if len(cut) == 1 else 'were'} cut short"
        )
        evidence = few((self._told(history), *_cited(history, cut)))
        if code not in _BY_ITSELF:
            how = f"SIGKILL ended {name}" if code == _SIGKILLED else f"{name} ended"
            sentence = f"{how} {after}, with exit code {code}; {calls}"
            wanted = f"exit code {' or '.join(map(str, _BY_ITSELF))}"
            return Finding(False, wanted, f"exit code {code}", "", sentence, evidence, "==")
        sentence = f"{name} ended by itself {after}, with exit code {code}; {calls}"
        promised, lasted_s = limits.stop_within_s, round(self.lasted_s, 3)
        if self.lasted_s > promised:
            return Finding(False, promised, lasted_s, "s", sentence, evidence)
        if len(cut):
            return Finding(False, 0, len(cut), "calls", sentence, evidence)
        if len(self.calls) < limits.stop_calls_needed:
            needed = f"{limits.stop_calls_needed} needed to say that none is cut short"
            return missing(promised, "s", f"{sentence}; {needed}", evidence)
        return Finding(True, promised, lasted_s, "s", sentence, evidence)

    def _cut_short(self) -> Table:
        """The calls that ended with it: a refused one goes on to another, an accepted one cannot.

        Nothing is sent again that has been sent, so the last replica of a line is the one that had
        the call.
        """
        ended = [
            (upstreams(text(row["upstream"])), upstreams(text(row["upstream_status"])))
            for row in self.calls
        ]
        cut = [
            bool(addresses and statuses)
            and addresses[-1] == self.life.address
            and statuses[-1].startswith("5")
            for addresses, statuses in ended
        ]
        rows: Table = self.calls[np.array(cut, dtype=bool)]
        return rows

    def _told(self, history: History) -> str:
        """When it was told, when the balancer left it out, and when it ended."""
        life = self.life
        left_out_s = life.unrouted_s
        assert life.died_s is not None
        sent = (
            f"the balancer left it out at {at(history, left_out_s)}"
            if left_out_s is not None and self.told_s <= left_out_s < life.died_s
            else "the balancer sent calls to it until its end"
        )
        return (
            f"{life.name} was told to stop at {at(history, self.told_s)}; {sent}; it ended at "
            f"{at(history, life.died_s)} with exit code {life.exit_code}"
        )


def _stops(history: History) -> Iterable[_Stop]:
    fleet = lives(history.events)
    for fault in history.faults:
        if fault.name == "stop":
            for name in fault.targets:
                if name in fleet:
                    yield _Stop(fleet[name], fault.injected_s, _calls(history, fault, name, fleet))


def _calls(history: History, fault: FaultRecord, name: str, fleet: Mapping[str, Life]) -> Table:
    """What was under way at a replica when it was told, and what was sent to it until its end."""
    died_s = fleet[name].died_s
    among = (history.access["done_s"] >= fault.injected_s) & (
        began_s(history.access) <= (np.inf if died_s is None else died_s)
    )
    rows: Table = history.access[sent_to(history.access, fleet, fleet[name], among)]
    return rows


def _cited(history: History, cut: Table) -> Iterable[str]:
    return (
        f"request {text(row['id'])}: attempt {int(row['attempt'])} was at it, and ended "
        f"{text(row['upstream_status'])} at {at(history, row['done_s'])}"
        for row in earliest(cut, column="done_s")
    )
