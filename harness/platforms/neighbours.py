"""Who else uses the processors while a run measures: neighbours on the machine, and a hypervisor.

What a service does in time depends on what it gets of the processors. Where others took a good part
of them, a slow answer says nothing of the service, and the contract refuses to judge by it.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.recorder import Recorder

PERIOD_S = 1.0
_ENGINE = frozenset({"dockerd", "containerd", "containerd-shim", "docker-proxy", "runc"})
"""The engine's processes; containers descend from one of them. Other runs on the same engine count
as this one's: the load average at the start of a run is what warns of those."""
_KERNEL = 2  # the parent of the kernel's own threads, which work for whoever asked


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc: see proc(5), stat."""

    name: str
    parent: int
    ticks: int  # processor time of its own and of the children that it has buried


@dataclass(frozen=True, slots=True)
class Reading:
    """Processor time since the machine started, in clock ticks, at one instant."""

    time_s: float
    busy: int  # of all processes
    stolen: int  # by the hypervisor
    ours: Mapping[int, Process]  # of the run, the engine, and the kernel's threads


class Neighbours(threading.Thread):
    """Notes once a second what share of the processors was not there for the run."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(name="neighbours", daemon=True)
        self._recorder = recorder
        self._ended = threading.Event()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def run(self) -> None:
        """Look until told to end; a system without /proc is not looked at."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            before = reading()
            while not self._ended.wait(PERIOD_S):
                after = reading()
                self._recorder.event("machine.used", "machine", shares(before, after))
                before = after


def shares(before: Reading, after: Reading) -> dict[str, float]:
    """What others used and what was stolen, each as a share of all processors' time, 0 to 1."""
    whole = (after.time_s - before.time_s) * os.sysconf("SC_CLK_TCK") * (os.cpu_count() or 1)
    others = max(after.busy - before.busy - used(before.ours, after.ours), 0)
    stolen = max(after.stolen - before.stolen, 0)
    return {"others": round(others / whole, 4), "stolen": round(stolen / whole, 4)}


def reading() -> Reading:
    """Now. Raises OSError, IndexError or ValueError where the system has no such /proc."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    user, nice, system, stolen = (int(fields[place]) for place in (1, 2, 3, 8))
    processes = dict(_processes())
    return Reading(
        time.monotonic(), user + nice + system, stolen, of_the_run(processes, os.getpid())
    )


def used(before: Mapping[int, Process], after: Mapping[int, Process]) -> int:
    """Ticks that these processes used in between.

    Who is buried by a parent leaves it all the ticks of its life: what it had used before is no
    news. Who has none that waits takes the ticks of its last moments along.
    """
    ticks = sum(
        process.ticks - (before[pid].ticks if pid in before else 0)
        for pid, process in after.items()
    )
    gone = before.keys() - after.keys()
    return ticks - sum(before[pid].ticks for pid in gone if _is_buried(pid, before, after))


def _is_buried(pid: int, before: Mapping[int, Process], after: Mapping[int, Process]) -> bool:
    while pid in before and pid not in after:
        pid = before[pid].parent
    return pid in after


def of_the_run(processes: Mapping[int, Process], own: int) -> dict[int, Process]:
    """A process, the engine, the kernel's threads, and all that descend from these."""
    known: dict[int, bool] = {own: True, _KERNEL: True, 0: False, 1: False}

    def is_ours(pid: int) -> bool:
        if pid not in known:
            process = processes.get(pid)
            known[pid] = process is not None and (
                process.name in _ENGINE or is_ours(process.parent)
            )
        return known[pid]

    return {pid: process for pid, process in processes.items() if is_ours(pid)}


def _processes() -> Iterable[tuple[int, Process]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it ended in the meantime
                line = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
                yield int(entry.name), parse(line)


def parse(line: str) -> Process:
    """One line of /proc/PID/stat; the name may hold anything, brackets and spaces too."""
    name, _, rest = line.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Process(name, int(fields[1]), sum(int(each) for each in fields[11:15]))
