"""Both pacers call back once for each instant, not before it."""

import asyncio
import sys
import time

import pytest

from harness.load.pacing import LoopPacer, Pacer, TimerfdPacer, pacer

PACERS = [LoopPacer] + ([TimerfdPacer] if sys.platform == "linux" else [])


@pytest.mark.parametrize("kind", PACERS)
def test_a_pacer_wakes_at_or_after_the_instant(kind: type[LoopPacer] | type[TimerfdPacer]) -> None:
    """A later instant replaces an earlier one; one that has passed wakes at once."""

    async def woken() -> list[float]:
        loop, times, done = asyncio.get_running_loop(), list[float](), asyncio.Event()

        def wake() -> None:
            times.append(time.monotonic())
            done.set()

        one: Pacer = kind(loop, wake)
        wanted = time.monotonic() + 0.05
        one.wake_at(wanted - 0.02)
        one.wake_at(wanted)
        await asyncio.wait_for(done.wait(), 5)
        done.clear()
        one.wake_at(wanted)
        await asyncio.wait_for(done.wait(), 5)
        one.close()
        return [each - wanted for each in times]

    late_s = asyncio.run(woken())

    assert len(late_s) == 2
    # The event loop may call a timer early by its clock's resolution, and rounds to that.
    assert min(late_s) >= -time.get_clock_info("monotonic").resolution


@pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")
def test_linux_gets_the_exact_pacer() -> None:
    """On Linux the pacer is a timerfd."""

    async def name() -> str:
        one = pacer(asyncio.get_running_loop(), lambda: None)
        one.close()
        return one.name

    assert asyncio.run(name()) == "timerfd"
