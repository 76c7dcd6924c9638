"""The summary for a pull request."""

import re
from dataclasses import replace

from harness.run import Run
from reports.beside import Beside
from reports.digest import digest
from reports.fitting import Block, Fold, fitted
from reports.sentence import sentence
from reports.summary import SIZE, escaped, markdown
from tests.reports import sample, sample_hostile, sample_runs

_FENCED = re.compile(r"^(`{3,})sh\n.*?\n\1$", re.DOTALL | re.MULTILINE)


def _plain(content: str) -> str:
    return content.replace("\N{NO-BREAK SPACE}", " ")


def test_summary_opens_with_the_sentence() -> None:
    """The first line is the verdict."""
    run = sample_runs.typical(500)

    assert sentence(run) == markdown(run).splitlines()[0]


def test_what_did_not_hold_is_told_in_full() -> None:
    """Figures, finding, every line of evidence, and the command that repeats it."""
    run = sample_runs.typical(500)
    broken = next(each for each in run.verdicts if each.verdict == "broken")
    repeat = next(each.repeat for each in run.scenarios if each.name == broken.scenario)

    _, _, rest = _plain(markdown(run)).partition("#### ✗ broken: T5, ")
    told = rest.partition("####")[0]

    assert "Measured 3.72 %, promised ≤ 0.1 %. Found: 3.72 % of requests failed" in told
    told_evidence = re.findall("^- .*", told, re.MULTILINE)
    assert [f"- {escaped(line)}" for line in broken.evidence] == told_evidence
    assert f"```sh\n{repeat}\n```" in told
    assert "#### ? inconclusive: H1, " in rest


def test_scenario_that_did_not_run_says_why() -> None:
    """With the command that tries again."""
    run = sample_runs.typical(100)

    _, _, told = markdown(run).partition("#### skipped: A slow disk")

    assert "no device cgroup on this host" in told
    assert run.scenarios[-1].repeat in told.partition("####")[0]


def test_failed_scenario_is_told_once() -> None:
    """Where the test failed because a clause is broken, the verdict has said all."""
    broken = sample.verdict("T5", "broken", 3, sentence="3 were lost", evidence=("r-1",))
    scenario = replace(
        sample.kill_scenario(20, verdicts=(broken,)),
        conclusion="failed",
        message="BrokenError: T5 broken: 3 were lost\n    r-1",
    )
    more = replace(scenario, message=f"{scenario.message}; EngineError: it is gone")

    assert "#### failed" not in markdown(sample.run(scenario))
    assert "\n\nWhy: EngineError: it is gone\n" in markdown(sample.run(more))


def test_held_verdicts_and_scenarios_are_folded() -> None:
    """They are counted in the line to click on, and each has its row."""
    run = sample_runs.typical(500)
    content = _plain(markdown(run))
    held, scenarios = re.findall(
        "<details>\n<summary>(.*?)</summary>\n\n(.*?)\n\n</details>", content, re.DOTALL
    )
    failed = int((run.scenarios[0].history.requests["status"] != 0).sum())

    assert (held[0], scenarios[0]) == ("✓ 5 verdicts held", "5 scenarios")
    assert [line.count("| ✓ held |") for line in held[1].splitlines()[2:]] == [1] * 5
    lines = scenarios[1].splitlines()
    assert any(f"| 500 | {failed} | detected 0.9 s, ejected 1.8 s" in line for line in lines)
    assert any(line.endswith("recovered never |") for line in lines)
    for scenario in run.scenarios:
        assert scenario.repeat in content.splitlines()


def test_changes_since_the_compared_run_are_listed() -> None:
    """What moved has its line, then and now; the rest is counted."""
    run = sample_runs.typical(100)
    before = digest(run)
    points = tuple(
        replace(each, measured=0.0341) if each.unit == "share" else each for each in before.points
    )
    other = replace(before, id="o", began_at="2026-11-20T14:03:12+00:00", points=points)

    content = _plain(markdown(run, Beside(compared=other, earlier=(other,))))
    told = content.partition("#### Against the last run")[2]

    assert "Compared with the run of 20 Nov 14:03." in told
    assert "- T5 ✗ broken, +0.31 pt, worse: 3.41 % then, 3.72 % now (A replica that" in told
    assert f"- {len(run.verdicts) - 1} verdicts: as then" in told
    assert "promised ≤ 0.1 %. Since last run: +0.31 pt, worse." in content


def test_tables_keep_their_columns_whatever_the_text() -> None:
    """Pipes, line breaks and markup in names neither add a column nor an element."""
    run = sample_hostile.hostile()
    held = sample.verdict(
        sample_hostile.HOSTILE, "held", "a|b", statement="c\nd", scenario=sample_hostile.HOSTILE
    )
    first = replace(run.scenarios[0], verdicts=(*run.scenarios[0].verdicts, held))
    content = markdown(replace(run, scenarios=(first, *run.scenarios[1:])))
    rows = [line for line in content.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]

    assert "<img" not in _FENCED.sub("", content)
    assert widths == [7, 7, 7, 6, 6, 6, 6]


def test_text_stays_text() -> None:
    """Nothing is set in bold, notifies a person, or becomes a link to an issue."""
    assert escaped("a|b\n`c` *d*") == r"a\|b \`c\` \*d\*"
    assert escaped("test_kill __init__ _x") == r"test_kill \_\_init\_\_ \_x"
    assert escaped("@you #12") == "@\N{ZERO WIDTH JOINER}you #\N{ZERO WIDTH JOINER}12"


def test_command_with_backticks_stays_in_its_fence() -> None:
    """The fence is longer than any run of backticks inside it."""
    scenario = replace(sample_runs.skipped_scenario(), repeat="pytest ```")

    assert "````sh\npytest ```\n````" in markdown(sample.run(scenario))


def test_empty_run_has_a_summary() -> None:
    """A run in which nothing happened says so."""
    assert markdown(sample.run()).startswith("Nothing was judged: the run has no scenario.\n")


def _crowded(scenarios: int, broken: int) -> Run:
    """A run with much to say of each scenario."""
    evidence = tuple(f"{place} {'é' * 900}" for place in range(8))
    verdicts = tuple(
        sample.verdict(f"T{place}", "broken" if place < broken else "held", 12.0, evidence=evidence)
        for place in range(10)
    )
    return sample.run(
        *(sample.kill_scenario(5, name=f"s{n}", verdicts=verdicts) for n in range(scenarios)),
        warnings=tuple(f"warning {n}" for n in range(50)),
    )


def test_summary_fits_into_a_comment() -> None:
    """Whatever a run has to say; and what was cut is counted."""
    content = markdown(_crowded(40, 5))

    assert len(content.encode()) <= SIZE
    shown = content.count("#### ✗ broken")
    (cut,) = re.findall(r"Cut to fit, and to be found in report.html: ([\d,]+) broken", content)
    assert shown + int(cut) == 200
    assert "and 30 more warnings" in content
    assert content.splitlines()[0] == sentence(_crowded(40, 5))


def test_folded_rows_are_cut_one_by_one() -> None:
    """As many as fit are shown, and the others counted."""
    content = markdown(_crowded(40, 1))

    shown = content.count("\n| ✓ held |")
    (cut,) = re.findall(r"([\d,]+) rows of “✓ 360 verdicts held”", content)
    assert len(content.encode()) <= SIZE
    assert shown + int(cut) == 360
    assert content.count("<details>") == content.count("</details>")


def test_what_comes_first_has_the_first_claim() -> None:
    """A part that is too large is named, and smaller ones behind it still find room."""
    parts = (Block("verdict", "a" * 300), Block("comparison", "b" * 900), Block("note", "c"))
    fold = Fold("rows", ("head",), tuple("d" * 50 for _ in range(40)))

    content = fitted((*parts, fold), "foot", 1400)

    assert len(content) <= 1400
    assert content.startswith("a" * 300 + "\n\nc\n\n<details>")
    shown = content.count("d" * 50)
    assert 0 < shown < 40
    assert f"report.html: 1 comparison; {40 - shown} rows of “rows”." in content
    assert content.endswith("\n\nfoot\n")
