"""The files that the report adds to a run's directory."""

import os
from pathlib import Path

from harness.run import Run
from reports.beside import Beside
from reports.junit import junit
from reports.page import render
from reports.summary import markdown
from reports.surroundings import surroundings

PAGE = "report.html"
SUMMARY = "summary.md"
JUNIT = "junit.xml"


def write(run: Run, directory: Path, beside: Beside | None = None) -> Path:
    """Write page, summary and junit.xml, each whole or not at all; the path of the page."""
    beside = beside or surroundings(run, directory)
    contents = {
        SUMMARY: markdown(run, beside),
        JUNIT: junit(run, _from_here(directory / PAGE)),
        PAGE: render(run, beside),
    }
    for name, content in contents.items():
        _write(directory / name, content.encode("utf-8", "replace"))
    return directory / PAGE


def write_page(page: str, directory: Path) -> None:
    """Write nothing but the page, whole or not at all."""
    _write(directory / PAGE, page.encode("utf-8", "replace"))


def _from_here(path: Path) -> str:
    """The path as a CI system knows it, whose commands begin where its checkout lies."""
    here, there = Path.cwd().resolve(), path.resolve()
    return str(there.relative_to(here) if there.is_relative_to(here) else there)


def _write(path: Path, content: bytes) -> None:
    # The process id keeps two writers apart; the last to finish wins with a whole file.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
