"""What happened to each request and attempt, noted at little cost while load is being sent."""

import time
from array import array
from collections import deque

import numpy as np

from harness.load import Progress
from harness.load.oip import Opinion
from harness.tables import ATTEMPT, NO_ANSWER, REQUEST, Table, empty

_BLOCK = 4096  # rows made at a time; one growing table would stop the sending to copy itself
_TICKS = 5  # progress reports in the "last second"


class Rows:
    """A table that grows by blocks."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype = dtype
        self._blocks: list[Table] = []
        self.count = 0

    def put(self, index: int, row: tuple[object, ...]) -> None:
        """Set one row; rows may come in any order, but none may be left out in the end."""
        block, place = divmod(index, _BLOCK)
        while block >= len(self._blocks):
            self._blocks.append(np.zeros(_BLOCK, dtype=self._dtype))
        self._blocks[block][place] = row
        self.count += 1

    def table(self) -> Table:
        """All rows."""
        return np.concatenate([empty(self._dtype), *self._blocks])[: self.count]


class Recording:
    """The rows of one run, and the counts that a progress report is made of."""

    def __init__(self) -> None:
        self.requests = Rows(REQUEST)
        self.attempts = Rows(ATTEMPT)
        self.lags_s = array("d")  # one for each request sent
        self.retries = 0
        self._failed = 0
        self._wrong = 0
        # (sent, done, good) as of the last reports: the oldest is a second old.
        self._marks: deque[tuple[int, int, int]] = deque([(0, 0, 0)], maxlen=_TICKS)

    def sent(self, lag_s: float) -> None:
        """Note that a request's first attempt went out, this much after its intended time."""
        self.lags_s.append(lag_s)

    def attempt(
        self, request_id: str, number: int, sent_s: float, done_s: float, status: int, detail: str
    ) -> None:
        """Note how an attempt ended."""
        if number > 1:
            self.retries += 1
        row = (_ascii(request_id), number, sent_s, done_s, status, _ascii(detail))
        self.attempts.put(self.attempts.count, row)

    def request(
        self,
        n: int,
        request_id: str,
        times_s: tuple[float, float, float],
        attempts: int,
        status: int,
        case: int,
        opinion: Opinion | None,
    ) -> None:
        """Note how the nth request ended; times are intended, sent and done."""
        said = opinion or Opinion(NO_ANSWER)
        self._failed += status != 0
        self._wrong += opinion is not None and not opinion.correct
        whose = (_ascii(said.replica), _ascii(said.version), _ascii(said.digest))
        row = (_ascii(request_id), *times_s, status, attempts, said.correct, *whose, case)
        self.requests.put(n, row)

    def progress(self) -> Progress:
        """Tell counts so far, and lag and good outcomes since a second ago; call each 0.2 s."""
        sent, done = len(self.lags_s), self.requests.count
        good = done - self._failed - self._wrong
        sent_before, done_before, good_before = self._marks[0]
        self._marks.append((sent, done, good))
        ended = done - done_before
        return Progress(
            sent=sent,
            done=done,
            failed=self._failed,
            wrong=self._wrong,
            retries=self.retries,
            lag_p99_ms=lags_ms(self.lags_s[sent_before:])[1],
            recent_ok_share=(good - good_before) / ended if ended else None,
            at_s=time.monotonic(),
        )


def lags_ms(lags_s: "array[float]") -> tuple[float, float, float]:
    """Median, 99th percentile and greatest lag in milliseconds; zeros where nothing was sent."""
    if not lags_s:
        return 0.0, 0.0, 0.0
    ordered = np.sort(np.array(lags_s)) * 1000  # np.percentile takes 60 ms when first called
    p50, p99 = (float(ordered[int(len(ordered) * share)]) for share in (0.5, 0.99))
    return p50, p99, float(ordered[-1])


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")
