"""Under which conditions a run was made: enough to repeat it, and to judge what it is worth."""

from datetime import datetime

from harness.history import Value
from harness.run import Run
from reports.digest import Digest
from reports.words import day_and_time, duration, number


def conditions(run: Run, compared: Digest | None = None) -> tuple[tuple[str, str], ...]:
    """Names and values: what the run noted, what it is itself, and what it is compared with."""
    noted = [(name.replace("_", " "), _written(value)) for name, value in run.conditions.items()]
    itself = [
        ("harness version", "" if run.conditions.get("mayfly") == run.version else run.version),
        ("seed", str(run.seed)),
        ("time", _moment(run.began_at)),
        ("took", duration(run.duration_s)),
        ("run", run.id),
        ("exit status", str(run.exit_status) if run.finished else "unfinished"),
    ]
    if compared is not None:
        other = day_and_time(compared.began_at, run.began_at)
        itself.append(("compared with", f"the run of {other}"))
    known = {name for name, value in noted if value}
    pairs = noted + [(name, value) for name, value in itself if name not in known]
    return tuple((name, value) for name, value in pairs if value)


def _written(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else number(value, 6)


def _moment(began_at: str) -> str:
    try:
        moment = datetime.fromisoformat(began_at)
    except ValueError:
        return began_at
    zone = moment.strftime("%z")
    zone = "UTC" if zone in {"+0000", ""} and moment.tzinfo else zone
    return f"{moment.day} {moment:%b %Y %H:%M} {zone}".strip()
