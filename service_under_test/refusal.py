"""Typed answers that are not predictions."""

import time

from grpc import StatusCode


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """A code and a message that says what was expected, what was seen and what to do."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def refuse_late(deadline_s: float | None) -> None:
    """Refuse if the deadline has passed: work that nobody waits for any more is not begun."""
    if deadline_s is not None and time.monotonic() >= deadline_s:
        raise Refusal(
            StatusCode.DEADLINE_EXCEEDED, "deadline: passed before the work began; nothing was run"
        )


def records_away() -> Refusal:
    """Say that nothing can be acknowledged now."""
    return Refusal(
        StatusCode.UNAVAILABLE,
        "records: the database does not answer, so nothing can be acknowledged; ask again",
    )
