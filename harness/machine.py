"""What the report has to say of the machine, because figures depend on it."""

import os
import platform
import subprocess
import time
from pathlib import Path

import harness
from harness.history import Value

STOLEN_SHARE = 0.01  # from which times of milliseconds deserve a warning
_BUSY_LOAD = 0.5  # of one core, by others, from which figures deserve a warning


def conditions(root: Path) -> dict[str, Value]:
    """Machine, commit and versions."""
    return {
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": _commit(root),
        "mayfly": harness.__version__,
        "clock": f"wall = monotonic + {time.time() - time.monotonic():.3f} s",
    }


def warnings() -> list[str]:
    """Why figures taken now would be worth less."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= _BUSY_LOAD * cores:
        return []
    return [f"the machine was busy before the run began: load average {load:.2f}, {cores} cores"]


def stolen_s() -> float | None:
    """Processor seconds that a hypervisor has taken from this machine since it started, if told.

    Source: proc(5), /proc/stat, the column "steal". None where the system does not tell.
    """
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None


def stolen_share(before_s: float | None, after_s: float | None, duration_s: float) -> float | None:
    """Share of all processors' time that was stolen in between, 0 to 1."""
    if before_s is None or after_s is None or duration_s <= 0:
        return None
    return (after_s - before_s) / (duration_s * (os.cpu_count() or 1))


def _commit(root: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=10"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
