"""A scenario's section: what a reader looks for first stands first."""

from dataclasses import replace
from pathlib import Path

from harness.history import Event
from harness.run import Run
from reports.beside import Beside
from reports.page import render
from reports.section import standing
from tests.reports import sample, sample_runs
from tests.reports.reading import Element, read
from tests.reports.sample_evidence import BEGAN_S, broken_scenario


def _page(run: Run, beside: Beside | None = None) -> Element:
    return read(render(run, beside))


def test_section_is_in_the_order_of_a_readers_questions() -> None:
    """Verdicts, what broke, charts, recovery, figures, proofs, and last what held."""
    held = sample.verdict("N2", "held", 1.0)
    content = render(sample.run(broken_scenario(held)))
    section = content[content.index('<section class="scenario"') :]
    marks = (
        'class="repeat"',
        'class="verdicts"',
        'id="evidence-1-1"',
        "<figure",
        'class="recovery"',
        "Around the faults",
        'class="grid proofs"',
        "Load generator",
        'id="evidence-1-2"',
    )
    places = [section.index(each) for each in marks]

    assert places == sorted(places)


def test_verdicts_stand_under_the_title() -> None:
    """What broke with its sentence, then the ids of what held; each leads to its evidence."""
    held = sample.verdict("N2", "held", 1.0)
    lines = _page(sample.run(broken_scenario(held))).find("ul", "verdicts")[0].find("li")

    assert [each.words for each in lines] == ["✗ broken T5 some requests failed", "✓ 1 held N2"]
    anchors = [each.find("a")[0].attributes["href"] for each in lines]
    assert anchors == ["#evidence-1-1", "#evidence-1-2"]


def test_broken_evidence_is_open_and_held_evidence_is_folded() -> None:
    """A reader sees at once what broke; what held is a click away."""
    held = sample.verdict("N2", "held", 1.0)
    page = _page(sample.run(broken_scenario(held)))
    broken, kept = page.find("details", "evidence")

    assert "open" in broken.attributes
    facts = {each.find("dt")[0].words: each.words for each in broken.find("dl")[0].find("div")}
    assert list(facts) == ["when", "how many", "where", "reason given"]
    assert facts["when"].startswith("when The first request named was sent")
    assert len(broken.find("table", "requests")[0].find("tr")) == 3
    assert "replica-2 was killed at +15.000 s" in broken.find("ul", "lines")[0].words
    assert kept.attributes["id"] in {
        each.attributes["id"] for each in page.find("details", "kept")[0].find("details")
    }


def test_evidence_is_kept_word_for_word() -> None:
    """The table takes nothing away: each line of the verdict is on the page as it is."""
    scenario = broken_scenario()
    words = _page(sample.run(scenario)).find("details", "words")[0].words

    assert all(line in words for line in scenario.verdicts[0].evidence)


def test_logs_of_the_replicas_concerned_are_shown(tmp_path: Path) -> None:
    """Whoever is named, or met the requests, speaks; who has no part in it does not."""
    for name in ("replica-1", "replica-2", "replica-3"):
        (tmp_path / f"{name}.log").write_text(f'{{"said by": "{name}"}}\n', encoding="utf-8")
    page = _page(sample.run(broken_scenario()), Beside(logs=tmp_path))
    shown = page.find("div", "logs")[0]

    assert [each.words for each in shown.find("b")] == ["replica-2", "replica-3"]
    assert '{"said by": "replica-2"}' in shown.words
    assert '{"said by": "replica-1"}' not in page.words


def test_held_scenarios_show_no_logs(tmp_path: Path) -> None:
    """Where nothing broke, no log is read."""
    (tmp_path / "replica-2.log").write_text("nothing of note\n", encoding="utf-8")
    scenario = sample.kill_scenario(50, verdicts=(sample.verdict("N2", "held", 1.0),))

    assert "nothing of note" not in render(sample.run(scenario), Beside(logs=tmp_path))


def test_hostile_log_lines_stay_text(tmp_path: Path) -> None:
    """A log line that looks like markup adds no element."""
    hostile = "</script><img src=x onerror=alert(1)>"
    (tmp_path / "replica-2.log").write_text(hostile, encoding="utf-8")
    page = _page(sample.run(broken_scenario()), Beside(logs=tmp_path))

    assert hostile in page.find("div", "logs")[0].words
    assert not page.find("img")


def test_message_does_not_repeat_the_evidence() -> None:
    """What ended the test is named; its sentence and evidence stand in full once, further down."""
    scenario = broken_scenario()
    verdict = scenario.verdicts[0]
    told = "\n    ".join((f"T5 broken: {verdict.sentence}", *verdict.evidence))
    message = f"BrokenError: {told}; OSError: no space"
    scenario = replace(scenario, conclusion="failed", message=message)
    conclusion = _page(sample.run(scenario)).find("p", "conclusion")[0].words

    assert conclusion == "✗ failed: T5 is broken, see below; OSError: no space"


def test_notes_of_a_scenario_are_a_table() -> None:
    """Figures that the scenario wrote down have their units, and others' notes are not its own."""
    scenario = sample.kill_scenario(50)
    details = {"baked_median_s": 0.724, "starts_of_each": 3, "why": None, "cached": True}
    own = Event(BEGAN_S, "scenario.cold_starts", "kill", details)
    other = Event(BEGAN_S, "scenario.cold_starts", "another", {"baked_median_s": 9.9})
    events = (own, other, *scenario.history.events)
    scenario = replace(scenario, history=replace(scenario.history, events=events))
    rows = _page(sample.run(scenario)).find("tr")
    cells = [[cell.words for cell in row.find("td")] for row in rows]

    assert [row for row in cells if row[:1] == ["cold starts"]] == [
        ["cold starts", "baked median", "0.724 s"],
        ["cold starts", "starts of each", "3"],
        ["cold starts", "why", "not known"],
        ["cold starts", "cached", "yes"],
    ]


def test_contents_are_grouped_by_suite_with_counts() -> None:
    """Each scenario is under its file, with how many of its verdicts are of each kind."""
    nav = _page(sample_runs.typical()).find("nav")[0]

    assert [each.words for each in nav.find("h3")] == [
        "faults/test_rescheduling.py",
        "faults/test_storage.py",
    ]
    entries = [each.words for each in nav.find("li")]
    assert len(entries) == 5
    assert entries[1].startswith("✗ broken ")
    assert entries[1].endswith("✗ 1 broken · ✓ 1 held")


def test_matrix_stands_between_scorecard_and_contents() -> None:
    """Faults by clauses, with a cell for each pair that met."""
    run = sample_runs.typical()
    page = _page(run)
    content = render(run)

    assert len(page.find("table", "matrix")) == 1
    assert content.index('class="scorecard"') < content.index('class="matrix"')
    assert content.index('class="matrix"') < content.index("<nav")


def test_unproven_fault_beside_a_broken_clause_keeps_its_own_sign() -> None:
    """A conclusion that says inconclusive does not carry the sign of what is broken."""
    scenario = replace(broken_scenario(), conclusion="inconclusive", message="no proof")
    page = _page(sample.run(scenario))

    assert page.find("p", "conclusion")[0].words == "? inconclusive: no proof"
    assert standing(scenario) == ("✗", "broken")
    assert standing(replace(scenario, verdicts=())) == ("?", "inconclusive")
