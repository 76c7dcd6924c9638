"""What may lie beside a made-up run: logs, a run to compare with, and runs before that."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.run import Run
from reports.beside import Beside
from reports.digest import Digest, Point, digest

_LINES = (
    '{"level": "info", "message": "predict", "request": "r-751"}',
    '{"level": "error", "message": "the record store does not answer"}',
)


def beside(run: Run, directory: Path, lines: Sequence[str] = _LINES) -> Beside:
    """All that may lie beside the run; the logs of its replicas are written into the directory."""
    subjects = {each.subject for one in run.scenarios for each in one.history.events}
    for name in subjects:
        if name.startswith("replica-"):
            (directory / f"{name}.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    earlier = tuple(_earlier(run, days) for days in range(5, 0, -1))
    return Beside(directory, earlier[-1], earlier)


def _earlier(run: Run, days: int) -> Digest:
    """The run as it may have been some days before: every number was smaller."""
    now = digest(run)
    points = tuple(_smaller(each, 1 - days / 20) for each in now.points)
    began_at = f"2026-11-{21 - days}T14:03:12+00:00"
    return replace(now, id=f"{now.id}-{days}", began_at=began_at, points=points)


def _smaller(point: Point, factor: float) -> Point:
    if isinstance(point.measured, (int, float)):
        return replace(point, measured=point.measured * factor)
    return point
