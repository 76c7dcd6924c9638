"""A run that is not finished, on its page and in its summary."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import run as runs
from harness.run import Run
from harness.underway import Claim, Now
from reports.beside import Beside, Underway
from reports.files import write
from reports.page import render
from reports.sentence import sentence
from reports.summary import markdown
from reports.underway import notice, renewed, underway
from tests.reports import sample_hostile, sample_runs
from tests.reports.reading import read

STEADY = Now("test_kill", "2026-11-22T14:03:12+00:00", "steady, 5 s: 120 sent, 0 failed", 3)
HOSTILE = Now(*[sample_hostile.HOSTILE] * 3, to_come=0)


@pytest.fixture(scope="module")
def run() -> Run:
    """Three of eight scenarios, in all of which all promises were kept."""
    typical = sample_runs.typical(300)
    return replace(typical, scenarios=typical.scenarios[:1] * 3, finished=False, planned=8)


def on_page(run: Run, state: Underway) -> str:
    """The page of the run in this state."""
    return render(run, Beside(underway=state))


def test_nothing_held_before_the_end(run: Run) -> None:
    """Neither title nor heading nor summary say of an unfinished run that promises were held."""
    page = read(on_page(run, Underway(True, STEADY, 3.0)))

    for text in (page.find("title")[0].words, page.find("header")[0].find("h1")[0].words):
        assert text.startswith("This run is going on: 3 of 8 scenarios are over.")
        assert "held" not in text
    assert sentence(run) == "This run is unfinished: 3 of 8 scenarios are over."
    assert markdown(run).startswith(sentence(run))
    assert "exit status unfinished" in page.find("dl", "conditions")[0].words


def test_what_is_broken_is_told_at_once() -> None:
    """A promise that was broken is in the sentence, however many scenarios are to come."""
    broken = sample_runs.typical(300)
    unfinished = replace(broken, finished=False, planned=8)

    assert "One is broken: T5" in sentence(unfinished)
    assert sentence(unfinished).startswith("This run is unfinished: 5 of 8 scenarios are over.")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            Underway(True, STEADY, 2.5),
            (
                "Now: test_kill, since 14:03:12 UTC: steady, 5 s: 120 sent, 0 failed; "
                "3 scenarios to come. This page is renewed every 2.5 s."
            ),
        ),
        (
            Underway(True, replace(STEADY, scenario="", doing="reading")),
            "Now: reading; 3 scenarios to come.",
        ),
        (
            Underway(True, replace(STEADY, began_at="noon", to_come=0)),
            "Now: test_kill: steady, 5 s: 120 sent, 0 failed.",
        ),
        (
            Underway(False, STEADY),
            (
                "It was interrupted or killed: no process of this machine works on it. The last "
                "that it told: test_kill, since 14:03:12 UTC: steady, 5 s: 120 sent, 0 failed."
            ),
        ),
        (
            Underway(False, None),
            "It was interrupted or killed: no process of this machine works on it.",
        ),
    ],
)
def test_notice(run: Run, state: Underway, expected: str) -> None:
    """A paragraph under the heading says what is done now, or where it ended."""
    (paragraph,) = read(on_page(run, state)).find("p", "underway")

    assert paragraph.words == expected


def test_finished_run_has_no_notice(run: Run, tmp_path: Path) -> None:
    """A finished run is not under way, even where its directory is still claimed."""
    claim = Claim(tmp_path)
    state = underway(replace(run, finished=True), tmp_path)
    claim.release()

    assert (state, notice(state)) == (None, "")
    assert not read(render(replace(run, finished=True), Beside(underway=state))).find(
        "p", "underway"
    )


@pytest.mark.parametrize("refresh_s", [None, 3.0])
@pytest.mark.parametrize("now", [None, HOSTILE, replace(STEADY, doing="observing & waiting")])
def test_renewed_is_as_made_again(run: Run, now: Now | None, refresh_s: float | None) -> None:
    """Renewing a page gives the page that would be made, at the price of two replacements."""
    before, after = Underway(True, STEADY, 3.0), Underway(True, now, refresh_s)

    assert renewed(on_page(run, before), before, after).split() == on_page(run, after).split()


@pytest.mark.parametrize(("refresh_s", "told"), [(3.0, "3"), (0.5, "1"), (2.6, "3")])
def test_refresh(run: Run, refresh_s: float, told: str) -> None:
    """A browser loads the page again in whole seconds, and at least one."""
    metas = read(on_page(run, Underway(True, STEADY, refresh_s))).find("meta")

    assert [
        each.attributes["content"]
        for each in metas
        if each.attributes.get("http-equiv") == "refresh"
    ] == [told]


def test_report_of_an_unfinished_run(run: Run, tmp_path: Path) -> None:
    """The files of a run that goes on say so, and are not loaded again and again."""
    runs.save_so_far(run, tmp_path, fresh=3)
    claim = Claim(tmp_path)
    page = write(runs.load(tmp_path), tmp_path).read_text(encoding="utf-8")
    claim.release()

    assert read(page).find("title")[0].words.startswith("This run is going on: 3 of 8")
    assert 'http-equiv="refresh"' not in page
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("This run is unfinish")
    junit = (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert 'value="unfinished, 3 of 8 scenarios are over"' in junit
