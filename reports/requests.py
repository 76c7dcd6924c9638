"""The requests that verdicts name as evidence: when, where, and what became of each."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harness.contract import Outcome, Verdict
from harness.fleet import Life
from harness.run import Scenario
from harness.serving import answered_by
from harness.tables import WRONG, text
from reports.attempts import Attempt, among, attempts, status_word
from reports.charts.chart import Grid
from reports.words import milliseconds

SHOWN = 8  # requests of one verdict
_COLUMNS = ("request", "sent at", "answered by", "attempts", "status", "latency")

_TOKEN = re.compile(r"[^\s\"'(){}\[\],;]+")
_NUMBER = re.compile(r"[\d.+-]+")
_REMARK = re.compile(r"request (\S+): \w[\w ]* from [^,]+, sent at [+-][\d.]+ s, (.+)")
_ID_LENGTH = 40  # bytes, as the tables hold it


@dataclass(frozen=True, slots=True)
class Request:
    """One request with all that is known of it."""

    id: str
    sent_s: float
    latency_s: float
    status: int
    wrong: bool  # answered, but not as the golden answer
    replica: str  # who answered; empty: nobody
    count: int  # of its attempts
    attempts: tuple[Attempt, ...]  # empty where they were not recorded

    @property
    def outcome(self) -> str:
        """Its end, in words."""
        return "OK, but wrong" if self.wrong else status_word(self.status)

    @property
    def replicas(self) -> tuple[str, ...]:
        """Every replica that had to do with it: where it was sent, and who answered."""
        sent = [name for each in self.attempts for name in each.replicas]
        return tuple(dict.fromkeys([*sent, *filter(None, [self.replica])]))

    def cells(self, began_s: float) -> tuple[str, ...]:
        """Its row in a table."""
        return (
            self.id,
            f"{self.sent_s - began_s:.3f} s",
            self.replica or "nobody",
            "\n→ ".join(map(str, self.attempts)) or f"{self.count}, not recorded",
            self.outcome,
            milliseconds(self.latency_s),
        )


def named(scenario: Scenario, fleet: Mapping[str, Life]) -> dict[str, Request]:
    """Every request that a verdict which did not hold names as evidence, by its id."""
    doubtful = (each for each in scenario.verdicts if each.verdict is not Outcome.HELD)
    words = {token for each in doubtful for line in each.evidence for token in _tokens(line)}
    history = scenario.history
    rows = among(history.requests, {word.encode() for word in words})
    if not len(rows):
        return {}
    made = attempts(history, set(rows["id"].tolist()), fleet)
    names = list(fleet)
    found = {}
    for row, place in zip(rows, answered_by(rows["replica"], fleet).tolist(), strict=True):
        id_ = text(row["id"])
        replica = names[place] if place >= 0 else text(row["replica"])
        found[id_] = _request(row, replica, made.get(id_, ()))
    return found


def named_by(verdict: Verdict, known: Mapping[str, Request]) -> tuple[Request, ...]:
    """Those that this verdict names, in its order."""
    words = (token for line in verdict.evidence for token in _tokens(line))
    return tuple(known[word] for word in dict.fromkeys(words) if word in known)[:SHOWN]


def without(lines: Iterable[str], requests: Iterable[Request]) -> tuple[str, ...]:
    """The lines that name none of the requests."""
    ids = {each.id for each in requests}
    return tuple(line for line in lines if ids.isdisjoint(_tokens(line)))


def grid(requests: Iterable[Request], verdict: Verdict, began_s: float) -> Grid:
    """The requests as a table with the remarks of the verdict; times count from an instant."""
    matches = filter(None, map(_REMARK.fullmatch, verdict.evidence))
    remarks = {match[1]: match[2] for match in matches}
    if not remarks:
        return Grid(_COLUMNS, tuple(each.cells(began_s) for each in requests))
    rows = tuple((*each.cells(began_s), remarks.get(each.id, "")) for each in requests)
    return Grid((*_COLUMNS, "remark"), rows)


def _tokens(line: str) -> Iterator[str]:
    """The words of a line that may be the id of a request: not too long, and no mere number."""
    for match in _TOKEN.findall(line):
        word = match.rstrip(".:")
        if 0 < len(word) <= _ID_LENGTH and word.isascii() and not _NUMBER.fullmatch(word):
            yield word


def _request(row: np.void, replica: str, made: tuple[Attempt, ...]) -> Request:
    return Request(
        id=text(row["id"]),
        sent_s=float(row["sent_s"]),
        latency_s=float(row["done_s"] - row["intended_s"]),
        status=int(row["status"]),
        wrong=bool(row["status"] == 0 and row["correct"] == WRONG),
        replica=replica,
        count=int(row["attempts"]),
        attempts=made,
    )
