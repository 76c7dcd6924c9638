"""The summary for a pull request."""

import re
from dataclasses import replace

from reports.sentence import sentence
from reports.summary import escaped, markdown
from tests.reports import sample, sample_hostile, sample_runs


def test_summary_opens_with_the_sentence() -> None:
    """The first line is the verdict."""
    run = sample_runs.typical(500)

    assert sentence(run) == markdown(run).splitlines()[0]


def test_summary_lists_clauses_scenarios_and_commands() -> None:
    """Each verdict and each scenario has its row, and each command can be copied."""
    run = sample_runs.typical(500)
    lines = markdown(run).replace("\N{NO-BREAK SPACE}", " ").splitlines()

    assert any(
        line.startswith("| ✗ broken | T5 |") and "| ≤ 0.1 % | 3.72 % |" in line for line in lines
    )
    failed = int((run.scenarios[0].history.requests["status"] != 0).sum())
    assert any(f"| 500 | {failed} | detected 0.9 s, ejected 1.8 s" in line for line in lines)
    assert any(line.endswith("recovered never |") for line in lines)
    for scenario in run.scenarios:
        assert scenario.repeat in lines


def test_tables_keep_their_columns_whatever_the_text() -> None:
    """Pipes, line breaks and markup in names neither add a column nor an element."""
    content = markdown(sample_hostile.hostile())
    outside, _, fenced = content.partition("```sh\n")
    rows = [line for line in content.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]

    assert "<img" not in outside + fenced.partition("```")[2]
    assert widths == [7, 7, 7, 6, 6, 6, 6]
    assert escaped("a|b\n`c` *d*") == r"a\|b \`c\` \*d\*"


def test_command_with_backticks_stays_in_its_fence() -> None:
    """The fence is longer than any run of backticks inside it."""
    scenario = replace(sample_runs.skipped_scenario(), repeat="pytest ```")

    assert "````sh\npytest ```\n````" in markdown(sample.run(scenario))


def test_empty_run_has_a_summary() -> None:
    """A run in which nothing happened says so."""
    assert markdown(sample.run()).startswith("Nothing was judged: the run has no scenario.\n")
