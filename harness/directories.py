"""Where runs are kept: reports/runs/<id>, and reports/latest that points at the last one."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path


def new_run_id() -> str:
    """Unique on the engine, sorted by time, fit for container names: mf-20261122-141503-3fa9."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"mf-{stamp}-{secrets.token_hex(2)}"


def run_directory(root: Path, run_id: str) -> Path:
    """The directory of a new run."""
    return root / "reports" / "runs" / run_id


def point_latest_at(directory: Path) -> None:
    """Make reports/latest a link to this run, in one step."""
    latest = directory.parent.parent / "latest"
    if latest.is_dir() and not latest.is_symlink():
        return  # somebody's own folder: it is not ours to replace
    partial = latest.with_name(f".latest.{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.symlink_to(Path("runs") / directory.name)
    partial.replace(latest)
