"""The columns of a run: what the load sent, what the balancer saw, what the service recorded.

Each table is a numpy structured array, one row a fact, so that a million requests are judged in
milliseconds. Times are seconds on the machine's monotonic clock (``time.monotonic``), one clock for
all processes of a run. Text is ASCII bytes of fixed width, to keep a row small.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Table: TypeAlias = NDArray[np.void]

CORRECT, WRONG, NO_ANSWER = 1, 0, -1
"""Values of the ``correct`` column: as the golden answer, unlike it, none to compare."""

REQUEST = np.dtype(
    [
        ("id", "S40"),
        ("intended_s", "f8"),  # when the schedule wanted it sent: latency counts from here
        ("sent_s", "f8"),  # when its first attempt was really sent
        ("done_s", "f8"),  # when its outcome was known, after all attempts
        ("status", "i2"),  # gRPC status code of the last attempt, 0 is OK
        ("attempts", "i2"),
        ("correct", "i1"),
        ("replica", "S40"),  # who gave the answer, as the answer itself says; empty if none
        ("version", "S16"),
        ("digest", "S16"),  # the first 16 hexadecimal digits of the model digest
        ("golden", "i4"),  # which golden request this was
    ]
)
"""One logical request as its caller saw it."""

ATTEMPT = np.dtype(
    [
        ("id", "S40"),
        ("number", "i2"),  # from 1
        ("sent_s", "f8"),
        ("done_s", "f8"),
        ("status", "i2"),
        ("detail", "S80"),  # the status message of a failed attempt, cut to fit
    ]
)
"""One try of a request: the first, or a retry."""

ACCESS = np.dtype(
    [
        ("id", "S40"),  # x-request-id as it reached the balancer
        ("attempt", "i2"),  # x-mayfly-attempt, 0 where the caller named none
        ("done_s", "f8"),  # when the balancer wrote the line
        ("took_s", "f8"),
        ("http_status", "i2"),
        ("grpc_status", "i2"),  # as a trailers-only answer states it, -1 where not visible
        ("upstream", "S120"),  # addresses tried, in order, separated by ", "
        ("upstream_status", "S60"),
        ("upstream_took_s", "f8"),  # time with the last upstream, NaN where none answered
    ]
)
"""One line of the balancer's access log."""

RECORD = np.dtype(
    [
        ("id", "S40"),
        ("replica", "S40"),
        ("digest", "S16"),
        ("copies", "i4"),  # rows under this request id: anything but 1 is a broken promise
        ("executions", "i4"),  # times that the model ran for this id, 0 if the service does not say
    ]
)
"""One acknowledged prediction as the service's record store holds it."""

USAGE = np.dtype(
    [
        ("container", "S40"),
        ("time_s", "f8"),
        ("cpu_s", "f8"),  # processor seconds used since the container started
        ("memory_bytes", "f8"),
        ("throttled_s", "f8"),  # seconds spent held back by the CPU quota, since the start
    ]
)
"""One sample of what a container uses."""


def empty(dtype: np.dtype[np.void]) -> Table:
    """A table without rows."""
    return np.zeros(0, dtype=dtype)


def table(dtype: np.dtype[np.void], rows: Iterable[Sequence[object]]) -> Table:
    """A table from rows given in the order of the columns; text may be ``str``."""
    return np.array([tuple(row) for row in rows], dtype=dtype)


def text(value: object) -> str:
    """A cell of a text column as ``str``."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
