"""Small bars inside tables: a measured value against its limit, and a step of a recovery."""

from markupsafe import Markup

from harness.contract import Verdict
from reports.words import measured, promised

_ROOM = 0.86  # of the width is for bars of steps, the rest for the time behind the longest


def against_limit(verdict: Verdict) -> Markup:
    """The measured value as a bar with a mark at the limit; empty where there is no number."""
    value, limit = verdict.measured, verdict.promised
    if isinstance(value, str) or isinstance(limit, str) or value is None:
        return Markup("")
    if verdict.comparison == "==" or value < 0 or limit < 0 or not value < float("inf"):
        return Markup("")
    most = max(value, limit)
    length = 0.0 if most == 0 else 100 * value / most
    mark = 100.0 if most == 0 else 100 * limit / most
    label = f"measured {measured(verdict)}, promised {promised(verdict)}"
    return Markup(
        '<svg class="bar {}" role="img" aria-label="{}" height="9">'
        '<rect class="track" y="3" width="100%" height="4" rx="2"/>'
        '<rect class="filled" y="3" width="{}%" height="4" rx="2"/>'
        '<rect class="mark" x="{}%" width="2" height="9"/></svg>'
    ).format(verdict.verdict, label, _percent(length), _percent(min(mark, 99.2)))


def step(began: float, ended: float, label: str, time: str) -> Markup:
    """A stretch between two shares of the width, 0 to 1, with its time at its end."""
    left, right = 100 * _ROOM * began, 100 * _ROOM * ended
    return Markup(
        '<svg class="bar step" role="img" aria-label="{}" height="14">'
        '<rect class="filled" x="{}%" y="2" width="{}%" height="10" rx="2"/>'
        '<text x="{}%" dx="6" y="11.5" aria-hidden="true">{}</text></svg>'
    ).format(
        label, _percent(left), _percent(max(right - left, 0.4)), _percent(max(right, 0.4)), time
    )


def _percent(value: float) -> float:
    return round(value, 2)
