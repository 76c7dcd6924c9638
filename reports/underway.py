"""What the page says of a run that is not finished: whether it goes on, and what it does now."""

from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from harness.run import Run
from harness.underway import Now, is_going_on, told
from reports.beside import Underway
from reports.words import plural


def underway(run: Run, directory: Path, refresh_s: float | None = None) -> Underway | None:
    """How it stands with the run in this directory; None where it is finished."""
    if run.finished:
        return None
    return Underway(is_going_on(directory), told(directory), refresh_s)


def notice(state: Underway | None) -> Markup:
    """The paragraph about it; empty for a finished run."""
    if state is None:
        return Markup()
    return Markup('<p class="underway">{}</p>').format(_sentence(state))


def refresh(state: Underway | None) -> Markup:
    """What makes a browser load the page again; empty where it is made only once."""
    if state is None or state.refresh_s is None:
        return Markup()
    return Markup('<meta http-equiv="refresh" content="{}">').format(max(round(state.refresh_s), 1))


def renewed(page: str, before: Underway, after: Underway) -> str:
    """The page with what is done now in place of what was done before: no chart is made again."""
    for part in (refresh, notice):
        page = page.replace(part(before), part(after), 1)
    return page


def _sentence(state: Underway) -> str:
    doing = "" if state.now is None else _told(state.now)
    if not state.is_going_on:
        last = f" The last that it told: {doing}." if doing else ""
        return f"It was interrupted or killed: no process of this machine works on it.{last}"
    again = "" if state.refresh_s is None else f" This page is renewed every {state.refresh_s:g} s."
    to_come = state.now.to_come if state.now else 0
    more = f"; {plural(to_come, 'scenario')} to come" if to_come else ""
    return f"Now: {doing or 'not known'}{more}.{again}"


def _told(now: Now) -> str:
    if not now.scenario:
        return now.doing
    since = _time_of_day(now.began_at)
    return f"{now.scenario}{f', since {since}' if since else ''}: {now.doing}"


def _time_of_day(began_at: str) -> str:
    try:
        moment = datetime.fromisoformat(began_at)
    except ValueError:
        return ""
    zone = "UTC" if moment.strftime("%z") == "+0000" else moment.strftime("%z")
    return f"{moment:%H:%M:%S} {zone}".strip()
