"""The page as a whole: what it shows, and what it must never do."""

import re
from dataclasses import replace

import pytest

from harness.run import Run
from reports.page import render
from reports.sentence import sentence
from tests.reports import sample, sample_hostile, sample_runs
from tests.reports.reading import Element, read


@pytest.fixture(scope="module")
def typical() -> Run:
    """A run with all kinds of verdicts."""
    return sample_runs.typical()


def test_sentence_is_title_and_heading(typical: Run) -> None:
    """The verdict is the page's title, and opens the page."""
    page = read(render(typical))

    assert sentence(typical) == page.find("title")[0].words
    opening = f"{page.find('h1')[0].words} {page.find('p', 'detail')[0].words}"
    assert " ".join(sentence(typical).split()) == opening


def test_every_number_of_the_scorecard_is_the_runs(typical: Run) -> None:
    """Each verdict is a row, and its exact measured number is in it."""
    table = read(render(typical)).find("table", "scorecard")[0]
    rows = [row for row in table.find("tr") if row.find("td")]
    found = sorted(
        (row.find("b")[0].words, row.find("data")[0].attributes["value"])
        for row in rows
        if row.find("data")
    )
    numbers = [v for v in typical.verdicts if isinstance(v.measured, (int, float))]

    assert len(typical.verdicts) == len(rows)
    assert sorted((v.id, str(v.measured)) for v in numbers) == found


def test_broken_comes_first(typical: Run) -> None:
    """Broken promises stand above those that could not be judged, and those above the held."""
    table = read(render(typical)).find("table", "scorecard")[0]
    words = [cell.words.split()[-1] for cell in table.find("td", "verdict")]

    assert words == ["broken", "inconclusive", "held", "held", "held", "held", "held"]


def test_every_verdict_leads_to_its_evidence(typical: Run) -> None:
    """No link of the page leads nowhere, and no two places share a name."""
    page = read(render(typical))
    names = [each.attributes["id"] for each in page.inside if "id" in each.attributes]
    links = {each.attributes["href"] for each in page.find("a")}

    assert len(set(names)) == len(names)
    assert links <= {f"#{name}" for name in names}
    assert len(typical.verdicts) == len(page.find("details", "evidence"))


def test_many_held_verdicts_are_folded_and_none_is_lost() -> None:
    """A long row of kept promises does not push the charts away, but stays on the page."""
    verdicts = tuple(sample.verdict(f"T{n}", "held", n) for n in range(30))
    broken = sample.verdict("X1", "broken", 99.0)
    page = read(render(sample.run(sample.kill_scenario(100, verdicts=(*verdicts, broken)))))

    folded = page.find("details", "folded")[0]
    assert len(folded.find("td", "verdict")) == 30
    assert len(page.find("table", "scorecard")[0].find("td", "verdict")) == 1


def test_hostile_text_stays_text() -> None:
    """Names, log lines and conditions that look like markup add no element to the page."""
    content = render(sample_hostile.hostile())
    page = read(content)

    assert "<img" not in content
    assert not page.find("img")
    assert [each for each in scripts(page) if each != "application/json"] == ["module"]
    # 30 is a floor: every field of the sample that can hold text holds the hostile one.
    assert content.count("onerror=alert(1)") > 30
    assert not [each for each in page.inside for name in each.attributes if name.startswith("on")]


def scripts(page: Element) -> list[str]:
    """The types of its scripts and data blocks."""
    return [each.attributes["type"] for each in page.find("script")]


def test_page_asks_no_host_for_anything(typical: Run) -> None:
    """Nothing on the page is loaded from elsewhere; its one script is in it."""
    content = render(typical)
    page = read(content)

    assert [each for each in scripts(page) if each != "application/json"] == ["module"]
    assert [each.attributes["href"] for each in page.find("link")] == ["data:,"]
    assert not [each for each in page.inside if "src" in each.attributes]
    # What begins with a number sign is a part of this page.
    assert not re.search(r"url\((?!#)|@import|https?://", content)


def test_every_picture_says_itself_in_words(typical: Run) -> None:
    """Each drawing has a role and a sentence, or is a part of one that has."""
    drawings = read(render(typical)).find("svg")

    for each in drawings:
        named = each.attributes.get("role") == "img" and each.attributes.get("aria-label")
        assert named or each.attributes.get("aria-hidden") == "true"


def test_every_chart_has_its_data_as_a_table(typical: Run) -> None:
    """What a chart shows can be read, in at most some forty rows."""
    for figure in read(render(typical)).find("figure"):
        if figure.find("svg", "chart"):
            assert 2 <= len(figure.find("details", "data")[0].find("tr")) <= 45


def test_same_run_same_bytes(typical: Run) -> None:
    """The page depends on the run alone."""
    assert render(sample_runs.typical()) == render(typical)


def test_empty_run_has_a_page() -> None:
    """A run in which nothing happened says so."""
    page = read(render(sample.run()))

    assert page.find("h1")[0].words == "Nothing was judged: the run has no scenario."
    assert not page.find("table", "scorecard")


def test_skipped_scenario_says_why(typical: Run) -> None:
    """A scenario that did not run shows its reason and how to try again, and no empty chart."""
    section = read(render(typical)).find("section", "scenario")[-1]

    assert "no device cgroup on this host" in section.find("p", "conclusion")[0].words
    assert "--seed 7" in section.find("code")[0].words
    assert not section.find("figure")


def test_missing_proof_is_shown() -> None:
    """A fault without a proof of one kind has a row that says so."""
    scenario = sample.kill_scenario(100)
    fault = scenario.history.faults[0]
    bare = replace(fault, proof=replace(fault.proof, bystander=()))
    changed = replace(scenario, history=replace(scenario.history, faults=(bare,)))
    table = read(render(sample.run(changed))).find("table", "proofs")[0]

    assert [c.words for c in table.find("td", "verdict")] == ["✓ proven", "? no proof", "✓ proven"]


def test_warnings_come_before_the_scorecard(typical: Run) -> None:
    """A weak measurement is announced before its numbers."""
    content = render(typical)

    assert content.index("fell behind its schedule by up to") < content.index('"scorecard"')


def test_conditions_name_what_was_run(typical: Run) -> None:
    """Image, commit, seed and time are at the head of the page."""
    words = read(render(typical)).find("dl", "conditions")[0].words

    for expected in ("image reference-inference:0.4.1", "commit 3f2c1ab", "seed 7", "replicas 3"):
        assert expected in words
    assert "time 21 Nov 2026 14:03 UTC" in words


def test_typical_page_is_small(typical: Run) -> None:
    """Five scenarios of 2,000 requests stay below 300 kB."""
    assert len(render(typical).encode()) < 300_000
