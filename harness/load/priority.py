"""A generator that waits for a processor measures itself: so it asks for the highest priority."""

import os
from contextlib import suppress
from pathlib import Path

_NICENESS = -10
_AUTOGROUP = Path("/proc/self/autogroup")


def raise_priority() -> str:
    """Tell the priority reached; only root may raise it, and the lag tells what came of it.

    A generator that waits for a processor measures itself. Real time comes first; the kernel still
    leaves 5 % to everybody else (man 7 sched, "Limiting the CPU usage of real-time processes").
    """
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return "real time"
    with suppress(OSError):
        # This process leads a session, and between sessions Linux weighs the autogroup's own
        # niceness alone: man 7 sched, "The autogroup feature".
        _AUTOGROUP.write_text(str(_NICENESS))
    with suppress(OSError):
        return f"nice {os.nice(_NICENESS)}"
    return f"nice {os.nice(0)}"
