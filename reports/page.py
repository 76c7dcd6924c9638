"""A run as one HTML page: no script, no request to any host, the same bytes for the same run."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.run import Run
from reports.conditions import conditions
from reports.scorecard import scorecard
from reports.section import section
from reports.sentence import headline

_TEMPLATES = Path(__file__).with_name("templates")
_HELD_SHOWN = 24  # more rows of promises kept are folded, so that charts stay within reach


def render(run: Run) -> str:
    """The page of the run."""
    rows = scorecard(run)
    held = sum(each.outcome == "held" for each in rows)
    shown = rows if held <= _HELD_SHOWN else rows[: len(rows) - held]
    return _template().render(
        style=Markup(_style()),  # noqa: S704 - our own file, not a user's text
        run=run,
        headline=headline(run),
        conditions=conditions(run),
        rows=shown,
        folded=rows[len(shown) :],
        sections=[section(each, place) for place, each in enumerate(run.scenarios, start=1)],
    )


def _style() -> str:
    return (_TEMPLATES / "page.css").read_text(encoding="utf-8")


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
