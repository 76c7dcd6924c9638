"""Writes the report beside every run that the harness saves, and keeps the index of runs."""

from pathlib import Path

import pytest

from harness.run import Run
from reports.digest import digest
from reports.files import write
from reports.index import INDEX, add


@pytest.hookimpl(optionalhook=True)
def pytest_mayfly_run_saved(run: Run, directory: Path) -> None:
    """Write the report's files into the run's directory, and its digest beside the directory."""
    write(run, directory)
    add(digest(run), directory.parent / INDEX)
