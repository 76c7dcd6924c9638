"""The files that the report adds to a run's directory."""

import os
from pathlib import Path

from harness.run import Run
from reports.junit import junit
from reports.page import render
from reports.summary import markdown

PAGE = "report.html"
SUMMARY = "summary.md"
JUNIT = "junit.xml"


def write(run: Run, directory: Path) -> Path:
    """Write page, summary and junit.xml, each whole or not at all; the path of the page."""
    contents = {SUMMARY: markdown(run), JUNIT: junit(run), PAGE: render(run)}
    for name, content in contents.items():
        _write(directory / name, content.encode("utf-8", "replace"))
    return directory / PAGE


def _write(path: Path, content: bytes) -> None:
    # The process id keeps two writers apart; the last to finish wins with a whole file.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
