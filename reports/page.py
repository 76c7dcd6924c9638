"""A run as one HTML page: no request to any host, the same bytes for the same run."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.run import Run
from reports.beside import Beside
from reports.charts.scene import Terms
from reports.comparison import comparison
from reports.conditions import conditions
from reports.matrix import matrix
from reports.scorecard import scorecard
from reports.section import section
from reports.sentence import headline
from reports.underway import notice, refresh
from reports.weakness import weaknesses

_TEMPLATES = Path(__file__).with_name("templates")
_STYLES = ("base.css", "charts.css", "evidence.css", "comparison.css", "interaction.css")
_SCRIPTS = (
    "elements.js",
    "crosshair.js",
    "zoom.js",
    "events.js",
    "filter.js",
    "copy.js",
    "start.js",
)
_HELD_SHOWN = 24  # more rows of promises kept are folded, so that charts stay within reach


def render(run: Run, beside: Beside | None = None) -> str:
    """The page of the run, with what is known beside it."""
    beside = beside or Beside()
    rows = scorecard(run)
    held = sum(each.outcome == "held" for each in rows)
    terms = Terms(run.limits, run.conditions)
    shown = rows if held <= _HELD_SHOWN else rows[: len(rows) - held]
    return _template().render(
        style=Markup(_joined("style", _STYLES)),  # noqa: S704 - our own files, not a user's text
        script=Markup(script := _joined("script", _SCRIPTS)),  # noqa: S704
        script_hash=_hash(script),
        run=run,
        beside=beside,
        headline=headline(run, going_on=bool(beside.underway and beside.underway.is_going_on)),
        notice=notice(beside.underway),
        refresh=refresh(beside.underway),
        comparison=comparison(run, beside),
        weaknesses=weaknesses(run),
        conditions=conditions(run, beside.compared),
        rows=shown,
        folded=rows[len(shown) :],
        matrix=matrix(run),
        sections=[
            section(each, place, terms, beside.logs)
            for place, each in enumerate(run.scenarios, start=1)
        ],
    )


def _joined(folder: str, names: tuple[str, ...]) -> str:
    return "".join((_TEMPLATES / folder / name).read_text(encoding="utf-8") for name in names)


def _hash(script: str) -> str:
    """What the page's Content-Security-Policy lets run, and nothing else."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("page.html")
