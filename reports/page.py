"""A run as one HTML page: no request to any host, the same bytes for the same run."""

import base64
import hashlib
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
_STYLES = ("base.css",)
_SCRIPTS: tuple[str, ...] = ()
_HELD_SHOWN = 24  # more rows of promises kept are folded, so that charts stay within reach


def render(run: Run) -> str:
    """The page of the run."""
    rows = scorecard(run)
    held = sum(each.outcome == "held" for each in rows)
    shown = rows if held <= _HELD_SHOWN else rows[: len(rows) - held]
    return _template().render(
        style=Markup(_joined("style", _STYLES)),  # noqa: S704 - our own files, not a user's text
        script=Markup(script := _joined("script", _SCRIPTS)),  # noqa: S704
        script_hash=_hash(script),
        run=run,
        headline=headline(run),
        conditions=conditions(run),
        rows=shown,
        folded=rows[len(shown) :],
        sections=[section(each, place) for place, each in enumerate(run.scenarios, start=1)],
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
