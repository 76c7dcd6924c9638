"""A run in Markdown, short enough for a comment on a pull request."""

import html
import re
from collections.abc import Iterator

from harness.contract import Outcome
from harness.run import Run, Scenario
from reports.beside import Beside
from reports.comparison import Comparison, Pair, comparison
from reports.fitting import Block, Fold, fitted
from reports.measure import failed
from reports.scorecard import Row, scorecard
from reports.section import standing
from reports.sentence import sentence
from reports.untold import untold
from reports.words import phase, plural, seconds, shortened

SIZE = 60_000
"""Bytes. GitHub takes 65,536 characters in a comment, and refuses the whole of a longer one."""
_LINE = 600  # characters of any one text; a longer one is cut in its middle
_WARNINGS = 20
_MOVES = 20
_CLAUSES = (
    "| | Clause | Promise | Promised | Measured | Scenario |",
    "| --- | --- | --- | --- | --- | --- |",
)
_SCENARIOS = (
    "| | Scenario | Requests | Failed | Phases after the fault's effect |",
    "| --- | --- | ---: | ---: | --- |",
)


def markdown(run: Run, beside: Beside | None = None) -> str:
    """The verdict, what did not hold and how to repeat it, what changed; the rest is folded."""
    against = comparison(run, beside or Beside())
    foot = f"Mayfly {run.version}, run {run.id}, {run.began_at}, seed {run.seed}."
    return fitted(_blocks(run, against), escaped(foot), SIZE)


def escaped(text: str) -> str:
    """Text that stays text in GitHub's Markdown, also inside a table."""
    one_line = html.escape(" ".join(re.split("[\r\n]", text)), quote=False)
    marked = re.sub(r"([\\`*\[\]|~])|(?<![^\W_])(_)|(_)(?![^\W_])", r"\\\1\2\3", one_line)
    # A zero-width joiner keeps a name in a log line from notifying a person, and a number from
    # turning into a link to some issue.
    return re.sub(r"@|#(?=\d)", "\\g<0>\N{ZERO WIDTH JOINER}", marked)


def _blocks(run: Run, against: Comparison | None) -> Iterator[Block | Fold]:
    yield Block("verdict", escaped(sentence(run)))
    if run.warnings:
        yield Block("list of warnings", "\n".join(_warnings(run.warnings)))
    rows = scorecard(run)
    repeats = {f"scenario-{n}": each.repeat for n, each in enumerate(run.scenarios, start=1)}
    for each in rows:
        if each.outcome != Outcome.HELD:
            yield Block(f"{each.outcome} verdict", _in_full(each, repeats[each.section], against))
    for scenario in run.scenarios:
        if scenario.conclusion != "judged" and not _is_told(scenario):
            yield Block("unjudged scenario", _unjudged(scenario))
    if against is not None:
        yield Block("comparison", "\n".join(_against(against)))
    held = [each for each in rows if each.outcome == Outcome.HELD]
    if held:
        yield Fold(f"✓ {plural(len(held), 'verdict')} held", _CLAUSES, tuple(map(_held, held)))
    if run.scenarios:
        count = plural(len(run.scenarios), "scenario")
        yield Fold(count, _SCENARIOS, tuple(map(_scenario, run.scenarios)))
    commands = "\n".join(each.repeat for each in run.scenarios if each.repeat)
    if commands:
        yield Block("list of all commands", f"To repeat:\n\n{_fenced(commands)}")


def _warnings(warnings: tuple[str, ...]) -> Iterator[str]:
    for each in warnings[:_WARNINGS]:
        yield f"> ⚠ {_short(each)}"
    if len(warnings) > _WARNINGS:
        yield f"> ⚠ and {plural(len(warnings) - _WARNINGS, 'more warning')}; the page has them all"


def _in_full(row: Row, repeat: str, against: Comparison | None) -> str:
    """One verdict that did not hold, as a reviewer needs it: what, where, why, and once more."""
    measured = "Nothing measured" if row.measured == "not measured" else f"Measured {row.measured}"
    figures = f"{measured}, promised {row.promised}."
    if against is not None:
        figures += f" {against.column}: {against.changes[row.anchor]}."
    lines = [
        f"#### {row.sign} {row.outcome}: {_short(row.id)}, {_short(row.statement)}",
        "",
        f"In: {_short(row.scenario)}",
        "",
        f"{_short(figures)} Found: {_short(row.sentence)}",
    ]
    if row.evidence:
        lines += ["", *(f"- {_short(line)}" for line in row.evidence)]
    if repeat:
        lines += ["", _fenced(repeat)]
    return "\n".join(lines)


def _is_told(scenario: Scenario) -> bool:
    """Whether its verdicts say all that there is to say of it."""
    is_broken = any(each.verdict is Outcome.BROKEN for each in scenario.verdicts)
    return is_broken and not untold(scenario)


def _unjudged(scenario: Scenario) -> str:
    why = untold(scenario)
    lines = [f"#### {scenario.conclusion}: {_short(scenario.title or scenario.name)}"]
    if why:
        lines += ["", f"Why: {_short(why)}"]
    if scenario.repeat:
        lines += ["", _fenced(scenario.repeat)]
    return "\n".join(lines)


def _against(against: Comparison) -> Iterator[str]:
    yield f"#### {escaped(against.title)}"
    yield ""
    if against.notes:
        yield _short(" ".join(against.notes))
        yield ""
    for each in against.moved[:_MOVES]:
        yield f"- {_moved(each)}"
    if len(against.moved) > _MOVES:
        yield f"- and {len(against.moved) - _MOVES:,} more that moved; the page has them all"
    steady = plural(len(against.steady), "verdict")
    yield f"- {steady}: as then, with a figure that moved by at most {against.hardly} of its limit"


def _moved(pair: Pair) -> str:
    row = pair.row
    told = f"{row.sign} {row.outcome}, {pair.change}: {pair.then} then, {row.measured} now"
    return f"{_short(row.id)} {_short(told)} ({_short(row.scenario)})"


def _held(row: Row) -> str:
    cells = (row.id, row.statement, row.promised, row.measured, row.scenario)
    return f"| {row.sign} {row.outcome} | {' | '.join(map(_short, cells))} |"


def _scenario(scenario: Scenario) -> str:
    sign, word = standing(scenario)
    requests = scenario.history.requests
    count = f"{len(requests):,} | {int(failed(requests).sum()):,}"
    title = _short(scenario.title or scenario.name)
    return f"| {sign} {word} | {title} | {count} | {_short(_phases(scenario))} |"


def _phases(scenario: Scenario) -> str:
    if scenario.conclusion != "judged" and scenario.message:
        return scenario.message
    times = sorted(scenario.phases.items(), key=lambda each: (each[1] is None, each[1] or 0.0))
    written = (
        f"{phase(name)} {'never' if time_s is None else seconds(time_s)}" for name, time_s in times
    )
    return ", ".join(written) or "—"


def _short(text: str) -> str:
    return escaped(shortened(text, _LINE))


def _fenced(commands: str) -> str:
    longest = max((len(run) for run in re.findall("`+", commands)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{commands}\n{fence}"
