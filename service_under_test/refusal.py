"""Typed answers that are not predictions."""

import time
from enum import IntEnum


class Code(IntEnum):
    """gRPC's status codes. Source: gRPC's statuscodes.md."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """A code and a message that says what was expected, what was seen and what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse_late(deadline_s: float | None) -> None:
    """Refuse if the deadline has passed: work that nobody waits for any more is not begun."""
    if deadline_s is not None and time.monotonic() >= deadline_s:
        raise Refusal(
            Code.DEADLINE_EXCEEDED, "deadline: passed before the work began; nothing was run"
        )


def records_away() -> Refusal:
    """Say that nothing can be acknowledged now."""
    return Refusal(
        Code.UNAVAILABLE,
        "records: the database does not answer, so nothing can be acknowledged; ask again",
    )
