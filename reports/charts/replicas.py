"""What each replica was, and what the balancer believed: between the two, requests fail."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from harness.fleet import Life, lives
from harness.history import History
from harness.run import Scenario
from reports.charts.chart import Chart, Grid, Key
from reports.charts.frame import Frame, clock, frame, margin_label, svg
from reports.words import plural, seconds, shortened

TITLE = "Replicas"
_ROW = 26  # px: one replica
_STRIP = 14
_BELIEVED = 3
_DRAWN = 32  # replicas; the table names up to _TABLE_ROWS
_TABLE_ROWS = 200
_WIDE = 8  # percent of the width: a narrower strip has no room for its word
_WIDER = 24  # percent: the same on a narrow screen
_HEIGHTS = {"ready": 14, "not ready": 12, "starting": 12, "down": 14, "stopped": 4}


@dataclass(frozen=True, slots=True)
class _Strip:
    """A stretch of one replica's life."""

    state: str
    began_s: float
    ended_s: float


def replicas(scenario: Scenario) -> Chart:
    """The chart of one scenario."""
    history = scenario.history
    known = lives(history.events)
    alive = sorted(
        (each for each in known.values() if _overlaps(each, history)),
        key=lambda each: (each.slot, each.ordered_s),
    )
    if not alive:
        return Chart(TITLE, "The history names no replica.")
    axis = frame(scenario)
    note = "thick: what the replica was; thin: what the balancer believed"
    if len(alive) > _DRAWN:
        note += f"; the first {_DRAWN} of {plural(len(alive), 'replica')} are drawn"
    parts: list[Markup] = []
    margin: list[Markup] = []
    for index, life in enumerate(alive[:_DRAWN]):
        top = 4 + index * _ROW
        parts += _row(life, known, history, axis, top)
        margin.append(margin_label(shortened(life.name, 11), top + 11))
    died = sum(each.died_s is not None for each in alive)
    said = f"{plural(len(alive), 'replica')} over time, of which {died:,} went down or stopped."
    height = 4 + _ROW * min(len(alive), _DRAWN)
    kinds = ("ready", "starting", "down", "stopped")
    keys = (*(Key(each, each) for each in kinds), Key("believed", "the balancer sends to it"))
    picture = svg(axis, height, said, parts, "replicas", margin)
    return Chart(TITLE, note, picture, keys, _data(alive, axis))


def _overlaps(life: Life, history: History) -> bool:
    gone_s = max(life.died_s or history.ended_s, life.unrouted_s or 0.0)
    return life.ordered_s <= history.ended_s and gone_s >= history.began_s


def _row(
    life: Life, known: dict[str, Life], history: History, axis: Frame, top: int
) -> Iterator[Markup]:
    for strip in _states(life, known, history):
        if strip.ended_s >= axis.began_s:
            yield _thick(strip, life, axis, top)
    for began_s, ended_s in _believed(life, history):
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


def _thick(strip: _Strip, life: Life, axis: Frame, top: int) -> Markup:
    left = axis.place(strip.began_s)
    width = max(round(axis.place(strip.ended_s) - left, 2), 0.2)
    height = _HEIGHTS[strip.state]
    wide = width >= _WIDE and height >= 9
    size = "" if width >= _WIDER else "minor"
    word = Markup('<text class="{}" x="6" y="{}">{}</text>').format(size, height - 3, strip.state)
    return Markup(
        '<svg class="strip {}" x="{}%" y="{}" width="{}%" height="{}" aria-hidden="true">'
        '<rect width="100%" height="100%" rx="2"/>{}<title>{} {} from {} to {}</title></svg>'
    ).format(
        strip.state.replace(" ", "-"),
        left,
        top + _STRIP - height,
        width,
        height,
        word if wide else "",
        life.name,
        strip.state,
        clock(strip.began_s, axis),
        clock(strip.ended_s, axis),
    )


def _states(life: Life, known: dict[str, Life], history: History) -> Iterator[_Strip]:
    """The stretches of a life: starting, ready and not ready in turn, then down or stopped."""
    end_s = history.ended_s if life.died_s is None else life.died_s
    state, since_s = "starting", life.ordered_s
    changes = {"replica.ready": "ready", "replica.unready": "not ready"}
    for event in history.of_kind(*changes, subject=life.name):
        if changes[event.kind] != state and event.time_s < end_s:
            yield _Strip(state, since_s, event.time_s)
            state, since_s = changes[event.kind], event.time_s
    yield _Strip(state, since_s, end_s)
    if life.died_s is not None:
        # It is missed until the platform orders its successor, whose own row goes on from there.
        heirs = [each.ordered_s for each in known.values() if each.predecessor == life.name]
        until_s = min([*heirs, history.ended_s])
        yield _Strip("stopped" if life.exit_code == 0 else "down", life.died_s, until_s)


def _believed(life: Life, history: History) -> Iterator[tuple[float, float]]:
    """When the balancer was told of the replica, and when to forget it."""
    since_s: float | None = None
    for event in history.of_kind("replica.routed", "replica.unrouted", subject=life.name):
        if event.kind == "replica.routed":
            since_s = event.time_s if since_s is None else since_s
        elif since_s is not None:
            yield since_s, event.time_s
            since_s = None
    if since_s is not None:
        yield since_s, history.ended_s


def _data(alive: list[Life], axis: Frame) -> Grid:
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
