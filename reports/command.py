"""``mayfly report RUN_DIR``: the page and the summary of a run, one that goes on included."""

import argparse
import os
import sys
from pathlib import Path

from harness.errors import ExitStatus, RunFormatError
from harness.run import Run, load
from reports.beside import Beside
from reports.files import write
from reports.surroundings import surroundings
from reports.watch import Watch

_NICER = 10  # a run that is watched is being measured on the same machine
_LEAST_S = 0.5


def report(arguments: list[str]) -> int:
    """Write report.html and summary.md into the run's directory; the exit status."""
    options = _options(arguments)
    directory: Path = options.run_directory

    def beside(run: Run, place: Path) -> Beside:
        return surroundings(run, place, _other(run, options.compare))

    try:
        if options.watch:
            os.nice(_NICER)
            return Watch(directory, options.every, beside, _say).follow()
        run = load(directory)
        page = write(run, directory, beside(run, directory))
    except (RunFormatError, OSError) as error:
        _say(" ".join(str(error).split()))
        return ExitStatus.HARNESS_FAILED
    if not run.finished:
        _say(f"the run is unfinished: {run.reach}")
    sys.stdout.write(f"{page}\n")
    return ExitStatus.ALL_HELD


def _say(what: str) -> None:
    sys.stderr.write(f"mayfly report: {what}\n")


def _options(arguments: list[str]) -> argparse.Namespace:
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
    parser.add_argument(
        "--compare",
        metavar="RUN_DIR",
        type=Path,
        help="another run to hold this one against (default: the last one before it that judged"
        " at least half of the same clauses)",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="renew the page while the run goes on, and end with it; wait for a run to begin",
    )
    parser.add_argument(
        "--every",
        metavar="SECONDS",
        type=float,
        default=3.0,
        help="how often a page that is watched is renewed (default: %(default)g)",
    )
    options = parser.parse_args(arguments)
    if not _LEAST_S <= options.every < float("inf"):
        parser.error(f"--every: expected {_LEAST_S:g} seconds or more, got {options.every:g}")
    return options


def _other(run: Run, directory: Path | None) -> Run | None:
    """The run that was named to compare with. Raises RunFormatError where it is the same one."""
    if directory is None:
        return None
    other = load(directory)
    if other.id == run.id:
        raise RunFormatError(
            f"expected another run to compare with, but {directory} holds {run.id} itself; "
            "name an earlier one, such as a directory in reports/runs"
        )
    return other
