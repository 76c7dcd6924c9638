"""What lies around a run that its page shows as well: logs, other runs, whether it goes on."""

from pathlib import Path

from harness.run import Run
from reports.beside import Beside
from reports.digest import digest
from reports.index import INDEX, comparable, read
from reports.underway import underway


def surroundings(run: Run, directory: Path, other: Run | None = None) -> Beside:
    """What lies there. ``other``: the run to compare with; otherwise the last comparable one."""
    place = directory.resolve()  # reports/latest is a link: the index lies beside what it leads to
    here = digest(run)
    index = read(place.parent / INDEX, here)
    logs = place / "logs"
    return Beside(
        logs=logs if logs.is_dir() else None,
        compared=comparable(here, index.earlier) if other is None else digest(other),
        earlier=index.earlier,
        unread=index.unread,
        underway=underway(run, place),
    )
