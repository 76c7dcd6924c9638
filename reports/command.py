"""``mayfly report RUN_DIR``: the page and the summary of a run that was saved earlier."""

import argparse
import sys
from pathlib import Path

from harness.errors import ExitStatus, RunFormatError
from harness.run import load
from reports.files import write


def report(arguments: list[str]) -> int:
    """Write report.html and summary.md into the run's directory; the exit status."""
    parser = argparse.ArgumentParser(
        prog="mayfly report",
        description="Write report.html and summary.md into the directory of a saved run.",
    )
    parser.add_argument(
        "run_directory",
        metavar="RUN_DIR",
        type=Path,
        help="a directory with run.json in it, such as reports/latest",
    )
    directory: Path = parser.parse_args(arguments).run_directory
    try:
        page = write(load(directory), directory)
    except (RunFormatError, OSError) as error:
        sys.stderr.write(f"mayfly report: {' '.join(str(error).split())}\n")
        return ExitStatus.HARNESS_FAILED
    sys.stdout.write(f"{page}\n")
    return ExitStatus.ALL_HELD
