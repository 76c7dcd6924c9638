"""How one row of the resources is drawn: an area, marks at its foot, and where replicas ended."""

from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup

from reports.charts.frame import Frame, clock
from reports.charts.usage import Row


def filled(heights: list[float | None], places: list[int], bottom: int) -> str:
    """Stairs filled down to the bottom; a gap where nothing is known."""
    drawn = ""
    for _, group in groupby(enumerate(heights), key=lambda each: each[1] is not None):
        steps = [(index, height) for index, height in group if height is not None]
        last: float | None = None
        drawn += f"M{places[steps[0][0]]} {bottom}" if steps else ""
        for index, height in steps:
            if height != last:
                drawn += f"H{places[index]}V{height:g}"
                last = height
        drawn += f"H{places[steps[-1][0] + 1]}V{bottom}z" if steps else ""
    return drawn


def strokes(marked: list[bool], places: list[int], height: int) -> str:
    """Lines at the foot of a row, neighbours joined."""
    drawn = ""
    for is_marked, group in groupby(enumerate(marked), key=lambda each: each[1]):
        steps = [index for index, _ in group]
        if is_marked:
            drawn += f"M{places[steps[0]]} {height - 1.5}H{places[steps[-1] + 1]}"
    return drawn


def deaths(row: Row, axis: Frame, top: int, height: int) -> Iterator[Markup]:
    """Where a replica of the row died, or was stopped."""
    for life in row.group.lives:
        if life.died_s is not None and axis.began_s <= life.died_s <= axis.ended_s:
            by_itself = life.exit_code == 0
            yield Markup(
                '<text class="{}" x="{}%" y="{:g}">{}'
                "<title>{} {} at {} with exit code {}</title></text>"
            ).format(
                "ended" if by_itself else "died",
                axis.place(life.died_s),
                top + height / 2 + 5,
                "○" if by_itself else "✕",
                life.name,
                "stopped" if by_itself else "died",
                clock(life.died_s, axis),
                "unknown" if life.exit_code is None else life.exit_code,
            )


def peak_label(told: str, y: float) -> Markup:
    """The highest value of a row, at its right end."""
    return Markup(
        '<text class="peak" x="100%" dx="-4" y="{:g}"><tspan class="wide">peak </tspan>{}</text>'
    ).format(y, told)
