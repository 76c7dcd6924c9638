"""A run in Markdown, short enough for a pull request."""

import html
import re
from collections.abc import Iterator

from harness.run import Run, Scenario
from reports.measure import failed
from reports.scorecard import scorecard
from reports.section import standing
from reports.sentence import sentence
from reports.words import phase, seconds


def markdown(run: Run) -> str:
    """The verdict, the clauses, the scenarios, and the commands that repeat them."""
    blocks = [escaped(sentence(run))]
    blocks += ["\n".join(f"> ⚠ {escaped(each)}" for each in run.warnings)] if run.warnings else []
    if run.verdicts:
        blocks.append("\n".join(_clauses(run)))
    if run.scenarios:
        blocks.append("\n".join(_scenarios(run)))
    commands = "\n".join(each.repeat for each in run.scenarios if each.repeat)
    if commands:
        blocks.append(f"To repeat:\n\n{_fenced(commands)}")
    blocks.append(escaped(f"Mayfly {run.version}, run {run.id}, {run.began_at}, seed {run.seed}."))
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Text that stays text in GitHub's Markdown, also inside a table."""
    one_line = html.escape(" ".join(text.split(" ")).replace("\r", " ").replace("\n", " "), False)
    # A zero-width joiner after @ keeps a name in a log line from notifying a person.
    return re.sub(r"([\\`*\[\]|~])", r"\\\1", one_line).replace("@", "@\N{ZERO WIDTH JOINER}")


def _clauses(run: Run) -> Iterator[str]:
    yield "| | Clause | Promise | Promised | Measured | Scenario |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in scorecard(run):
        cells = (row.id, row.statement, row.promised, row.measured, row.scenario)
        yield f"| {row.sign} {row.outcome} | {' | '.join(escaped(each) for each in cells)} |"


def _scenarios(run: Run) -> Iterator[str]:
    yield "| | Scenario | Requests | Failed | Phases after the fault's effect |"
    yield "| --- | --- | ---: | ---: | --- |"
    for scenario in run.scenarios:
        sign, word = standing(scenario)
        requests = scenario.history.requests
        count = f"{len(requests):,} | {int(failed(requests).sum()):,}"
        title = escaped(scenario.title or scenario.name)
        yield f"| {sign} {word} | {title} | {count} | {escaped(_phases(scenario))} |"


def _phases(scenario: Scenario) -> str:
    if scenario.conclusion != "judged" and scenario.message:
        return scenario.message
    times = sorted(scenario.phases.items(), key=lambda each: (each[1] is None, each[1] or 0.0))
    written = (
        f"{phase(name)} {'never' if time_s is None else seconds(time_s)}" for name, time_s in times
    )
    return ", ".join(written) or "—"


def _fenced(commands: str) -> str:
    longest = max((len(run) for run in re.findall("`+", commands)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{commands}\n{fence}"
