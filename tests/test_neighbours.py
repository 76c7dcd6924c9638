"""Who else used the processors: counted from processes that come and go."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.platforms.neighbours import Process, of_the_run, parse, reading, shares, used

BURN = "import time\nuntil = time.monotonic() + 1.5\nwhile time.monotonic() < until: pass"


def test_a_name_may_hold_anything() -> None:
    """Brackets and blanks in a process's name do not shift what follows it."""
    line = "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1"

    assert parse(line) == Process("a (b) c", 7, 100)


def test_who_belongs_to_the_run() -> None:
    """The harness and its children, the engine and its containers, and the kernel's threads."""
    processes = {
        1: Process("init", 0, 1),
        2: Process("kthreadd", 0, 1),
        3: Process("kworker", 2, 1),
        10: Process("pytest", 9, 1),
        11: Process("load", 10, 1),
        20: Process("containerd-shim", 1, 1),
        21: Process("service", 20, 1),
        9: Process("bash", 1, 1),
        30: Process("compiler", 9, 1),
        31: Process("orphan", 99, 1),
    }

    assert of_the_run(processes, own=10).keys() == {2, 3, 10, 11, 20, 21}


class TestUsed:
    """Ticks that a set of processes used between two looks."""

    def test_lives_on(self) -> None:
        """Who is there both times counts with the difference, who is new with all it used."""
        before = {1: Process("a", 0, 100)}
        after = {1: Process("a", 0, 130), 2: Process("b", 1, 5)}

        assert used(before, after) == 35

    def test_buried_by_its_parent(self) -> None:
        """A child that ended counts with what it used since the first look, not with its life."""
        before = {1: Process("a", 0, 100), 2: Process("b", 1, 1000)}

        assert used(before, {1: Process("a", 0, 100 + 1010)}) == 10

    def test_buried_with_its_parent(self) -> None:
        """So does one whose parent ended as well, and was buried by its own."""
        before = {1: Process("a", 0, 0), 2: Process("b", 1, 50), 3: Process("c", 2, 1000)}

        assert used(before, {1: Process("a", 0, 1060)}) == 10

    def test_ends_with_nobody_to_wait(self) -> None:
        """One whose parent is none of these takes nothing away from the others."""
        before = {1: Process("a", 0, 100), 2: Process("shim", 99, 5000)}

        assert used(before, {1: Process("a", 0, 110)}) == 10


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="a system without /proc/stat")
def test_a_neighbour_is_seen() -> None:
    """What a process that is not of the run burns is counted, as what one of ours burns is not."""
    cores = os.cpu_count() or 1
    ours = subprocess.Popen([sys.executable, "-c", BURN])
    try:
        before = reading()
        ours.wait()
        alone = shares(before, reading())
        # Nobody waits for a grandchild whose parent is gone: it is of the run no more.
        before = reading()
        began_s = time.monotonic()
        orphan = ["sh", "-c", f"{sys.executable} -c '{BURN}' & exec true"]
        subprocess.run(orphan, check=True)
        while time.monotonic() - began_s < 1.0:
            os.sched_yield()
        beside = shares(before, reading())
    finally:
        ours.kill()
        ours.wait()
    assert beside["others"] - alone["others"] > 0.3 / cores
