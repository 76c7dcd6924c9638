"""What each replica was, and what the balancer believed: between the two, requests fail."""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from harness.fleet import Life, lives
from harness.history import History
from reports.charts.chart import Chart, Grid, Key
from reports.charts.frame import Frame, clock, margin_labels, svg
from reports.charts.places import Place, first_places, places, replicas_in
from reports.charts.readiness import readiness_remarks, readiness_table
from reports.charts.scene import Scene
from reports.charts.states import State, believed, states
from reports.words import plural, seconds

TITLE = "Replicas"
_ROW, _CLOSE_ROW = 26, 20  # px: one place in the fleet, and where there are many
_MANY = 8
_STRIP = 14
_BELIEVED = 3
_DRAWN = 32  # places; the table names up to _TABLE_ROWS replicas
_TABLE_ROWS = 200
_WIDE = 8  # percent of the width: a narrower strip has no room for its word
_WIDER = 24  # percent: the same on a narrow screen, or for the replica's name as well
_HEIGHTS = {"ready": 14, "not ready": 12, "starting": 12, "down": 14, "stopped": 4}


def replicas(of: Scene) -> Chart:
    """The chart of one scenario."""
    history = of.fleet
    rows, left_out = first_places(history, _DRAWN)
    if not rows:
        return Chart(TITLE, "The history names no replica.")
    alive = replicas_in(places(history))
    known = lives(history.events)
    died = sum(each.died_s is not None for each in alive)
    said = f"{plural(len(alive), 'replica')} over time, of which {died:,} went down or stopped."
    row = _ROW if len(rows) <= _MANY else _CLOSE_ROW
    parts: list[Markup] = []
    margin: list[Markup] = []
    for index, place in enumerate(rows):
        top = 4 + index * row
        for life in place.lives:
            parts += _life(life, place, known, history, of.axis, top)
        margin.append(margin_labels(place.label, place.short, top + 11))
    kinds = ("ready", "starting", "down", "stopped")
    return Chart(
        TITLE,
        f"thick: what the replica was; thin: what the balancer believed{left_out}",
        svg(of.axis, 4 + row * len(rows), said, parts, "replicas", margin),
        (*(Key(each, each) for each in kinds), Key("believed", "the balancer sends to it")),
        _data(alive, of.axis),
        remarks=tuple(readiness_remarks(of.scenario, of.terms.limits)),
        more=readiness_table(of.scenario),
    )


def _life(
    life: Life, place: Place, known: Mapping[str, Life], history: History, axis: Frame, top: int
) -> Iterator[Markup]:
    for state in states(life, known, history):
        if state.ended_s >= axis.began_s:
            yield _thick(state, life, axis, top, named=life is not place.lives[0])
    for began_s, ended_s in believed(life, history):
        if ended_s >= axis.began_s:
            left = axis.place(began_s)
            yield Markup(
                '<rect class="believed" x="{}%" y="{}" width="{}%" height="{}">'
                "<title>the balancer sends to {} from {} to {}</title></rect>"
            ).format(
                left,
                top + _STRIP + 2,
                round(axis.place(ended_s) - left, 2),
                _BELIEVED,
                life.name,
                clock(began_s, axis),
                clock(ended_s, axis),
            )


def _thick(state: State, life: Life, axis: Frame, top: int, *, named: bool) -> Markup:
    """One strip. A replacement is named in it, because the margin names the first in its place."""
    left = axis.place(state.began_s)
    width = max(round(axis.place(state.ended_s) - left, 2), 0.2)
    height = _HEIGHTS[state.word]
    wide = width >= _WIDE and height >= 9
    word = _word(state.word, life.name if named else "", width, height) if wide else Markup("")
    return Markup(
        '<svg class="strip {}" data-replica="{}" x="{}%" y="{}" width="{}%" height="{}"'
        ' aria-hidden="true"><rect width="100%" height="100%" rx="2"/>{}'
        "<title>{} {} from {} to {}</title></svg>"
    ).format(
        state.word.replace(" ", "-"),
        life.name,
        left,
        top + _STRIP - height,
        width,
        height,
        word,
        life.name,
        state.word,
        clock(state.began_s, axis),
        clock(state.ended_s, axis),
    )


def _word(state: str, name: str, width: float, height: int) -> Markup:
    """The state, with the name where that has room; on a narrow screen it has none."""
    text = Markup('<text class="{}" x="6" y="{}">{}</text>')
    if width < _WIDER:
        return text.format("minor", height - 3, state)
    if not name:
        return text.format("", height - 3, state)
    full = text.format("wide", height - 3, f"{name} {state}")
    return full + text.format("narrow", height - 3, state)


def _data(alive: Sequence[Life], axis: Frame) -> Grid:
    def at(time_s: float | None) -> str:
        return "—" if time_s is None else clock(time_s, axis)

    rows = [
        (
            each.name,
            *(at(t) for t in (each.ordered_s, each.ready_s, each.routed_s)),
            *(at(t) for t in (each.died_s, each.unrouted_s)),
            "—" if each.exit_code is None else str(each.exit_code),
            seconds(each.cold_start_s),
        )
        for each in alive[:_TABLE_ROWS]
    ]
    columns = ("replica", "ordered", "ready", "routed", "died", "unrouted", "exit", "cold start")
    if len(alive) > _TABLE_ROWS:
        rows.append((f"and {len(alive) - _TABLE_ROWS:,} more", *("—",) * (len(columns) - 1)))
    return Grid(columns, tuple(rows))
