"""Hooks that the plugin calls: the only file that a plugin for Mayfly has to read."""

from pathlib import Path

import pytest

from harness.run import Run


@pytest.hookspec
def pytest_mayfly_run_saved(run: Run, directory: Path) -> None:
    """Called once, when a run is complete and saved in the directory. Reports are made here."""
