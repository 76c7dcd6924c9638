"""Offer load to a server, and wait for what is reported of it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.load import Load, Loaded, Progress
from harness.load.plan import Plan
from harness.load.process import LoadProcess

LIMIT_S = 10.0


def until(load: Load, wanted: Callable[[Progress], bool]) -> Progress:
    """Wait until the generator reports what is wanted."""
    end_s = time.monotonic() + LIMIT_S
    while time.monotonic() < end_s:
        progress = load.progress()
        if wanted(progress):
            return progress
        time.sleep(0.01)  # between two looks, not instead of one
    pytest.fail(f"not within {LIMIT_S:g} s: {load.progress()}")


def run(plan: Plan, directory: Path, requests: int = 40) -> Loaded:
    """Offer load until this many requests ended."""
    with LoadProcess.spawn(plan, directory) as load:
        load.begin()
        until(load, lambda progress: progress.done >= requests)
        return load.stop()
