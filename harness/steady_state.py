"""The steady state: what has to be so before anything is disturbed, or nothing can be judged."""

import time
from collections.abc import Callable

from harness.load import Load
from harness.platforms.docker import DockerPlatform

WITHIN_S = 15.0
_WHOLE_SECOND_S = 1.2  # the generator tells of the last second, five times a second


class UnhealthyError(Exception):
    """The service was not in its steady state before the disturbance: nothing can be judged."""


def await_fleet(platform: DockerPlatform) -> None:
    """Return when all replicas are ready and routed to. Raises UnhealthyError."""
    if not platform.await_steady(WITHIN_S):
        raise UnhealthyError(f"not all replicas were ready and routed to within {WITHIN_S:g} s")


def await_right_answers(load: Load, began_s: float, wait: Callable[[], None]) -> None:
    """Return after a whole second in which every answer was right. Raises UnhealthyError.

    ``began_s``: when the load began; ``wait`` lets a moment pass, and watches the platform.
    """
    deadline_s = time.monotonic() + WITHIN_S
    while (share := load.progress().recent_ok_share or 0.0) < 1.0 or (
        time.monotonic() < began_s + _WHOLE_SECOND_S
    ):
        if time.monotonic() > deadline_s:
            raise UnhealthyError(
                f"only {share:.1%} of the last second's answers were right after {WITHIN_S:g} s "
                "of undisturbed load"
            )
        wait()
