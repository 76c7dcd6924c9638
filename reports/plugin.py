"""Writes the report beside every run that the harness saves."""

from pathlib import Path

import pytest

from harness.run import Run
from reports.files import write


@pytest.hookimpl(optionalhook=True)
def pytest_mayfly_run_saved(run: Run, directory: Path) -> None:
    """Write report.html and summary.md into the run's directory."""
    write(run, directory)
