"""A run against an earlier one: in the scorecard, in a section of its own, and over the runs."""

from dataclasses import replace

from harness.contract import Verdict
from harness.run import Run
from reports.beside import Beside
from reports.comparison import Comparison, comparison
from reports.digest import Digest, digest
from reports.page import render
from tests.reports import sample, sample_hostile, sample_runs
from tests.reports.reading import Element, read
from tests.reports.sample import verdict


def _run(*verdicts: Verdict) -> Run:
    return sample.run(sample.kill_scenario(60, verdicts=verdicts))


def _earlier(number: int, *verdicts: Verdict, **changes: object) -> Digest:
    """A run of the same scenario on a day of November."""
    made = digest(_run(*verdicts))
    known = {"id": f"run-{number}", "began_at": f"2026-11-{number:02}T14:03:12+00:00"}
    return replace(made, **{**known, **changes})


def _against(run: Run, *earlier: Digest, unread: int = 0) -> Comparison:
    found = comparison(run, Beside(compared=earlier[-1], earlier=earlier, unread=unread))
    assert found is not None
    return found


def _page(run: Run, *earlier: Digest) -> Element:
    return read(render(run, Beside(compared=earlier[-1], earlier=earlier)))


def _since(page: Element) -> list[str]:
    return [cell.words for cell in page.find("table", "scorecard")[0].find("td", "since")]


def test_scorecard_says_what_changed() -> None:
    """Each row has its change, with figure, unit, and which way that is, in words."""
    then = _earlier(20, verdict("T5", "broken", 18.0), verdict("N2", "held", 2.0))
    page = _page(_run(verdict("T5", "held", 9.0), verdict("N2", "held", 2.0)), then)

    assert [
        each.removeprefix("Since last run ").partition(" \N{MINUS SIGN}")[0]
        for each in _since(page)
    ] == ["was broken", "±0"]
    assert "\N{MINUS SIGN}9 s better" in _since(page)[0]
    assert "Since last run" in page.find("table", "scorecard")[0].find("thead")[0].words


def test_new_and_not_judged_then_are_told_apart() -> None:
    """A clause is new only where no earlier run judged it in that scenario."""
    before = _earlier(19, verdict("T5", "held", 9.0), verdict("N2", "held", 2.0))
    then = _earlier(20, verdict("T5", "held", 9.0))
    run = _run(*(verdict(id_, "held", 9.0) for id_ in ("T5", "N2", "D3")))

    told = _against(run, before, then)

    assert [str(each) for each in told.changes.values()] == ["±0", "not judged then", "new"]
    assert "2 verdicts of this run are new, or not judged in that one." in told.notes


def test_clause_judged_twice_meets_its_own_twin() -> None:
    """The second verdict on a clause in a scenario is held against the second of then."""
    then = _earlier(20, verdict("T5", "held", 1.0), verdict("T5", "held", 5.0))
    run = _run(verdict("T5", "held", 2.0), verdict("T5", "held", 4.0))

    told = _against(run, then)

    assert [str(each).replace("\N{NO-BREAK SPACE}", " ") for each in told.changes.values()] == [
        "+1 s, worse",
        "\N{MINUS SIGN}1 s, better",
    ]


def test_page_without_another_run_has_no_trace_of_one() -> None:
    """The first run of all shows neither a column nor a section nor a condition for it."""
    page = read(render(_run(verdict("T5", "held", 9.0))))

    assert not _since(page)
    assert not page.find("section", "against")
    assert "compared" not in page.find("dl", "conditions")[0].words


def test_conditions_name_the_run_compared_with() -> None:
    """With its day and time, and its year where that is another one."""
    run = _run(verdict("T5", "held", 9.0))
    last_year = _earlier(20, verdict("T5", "held", 9.0), began_at="2025-11-20T14:03:12+00:00")
    then = _earlier(20, verdict("T5", "held", 9.0))

    for other, expected in ((then, "20 Nov 14:03"), (last_year, "20 Nov 2025 14:03")):
        words = _page(run, other).find("dl", "conditions")[0].words
        assert f"compared with the run of {expected}" in words


def test_only_what_moved_is_unfolded() -> None:
    """More than 5 % of the limit, or another verdict; the rest is counted and folded."""
    steady, moved, other = (verdict(id_, "held", 5.0) for id_ in ("N2", "T5", "D3"))
    then = _earlier(20, steady, replace(moved, measured=4.4), verdict("D3", "inconclusive", None))
    run = _run(replace(steady, measured=5.5), moved, other)
    section = _page(run, then).find("section", "against")[0]
    (shown,) = section.find("table", "pairs")
    folded = section.find("details", "steady")[0]

    assert [each.find("b")[0].words for each in shown.find("td", "clause")] == ["D3", "T5"]
    assert [each.words for each in folded.find("a")] == ["N2"]
    assert folded.find("summary")[0].words.startswith("1 with the same verdict")


def test_worst_news_come_first() -> None:
    """What broke stands above what was mended, and that above figures that moved."""
    ids = ("a", "b", "c", "d")
    outcomes = (("held", 5.0, "held", 9.0), ("broken", 12.0, "held", 1.0))
    outcomes += (("held", 5.0, "broken", 30.0), ("held", 5.0, "held", 1.0))
    then = _earlier(20, *(verdict(i, o[0], o[1]) for i, o in zip(ids, outcomes, strict=True)))
    run = _run(*(verdict(i, o[2], o[3]) for i, o in zip(ids, outcomes, strict=True)))

    assert [each.row.id for each in _against(run, then).moved] == ["c", "b", "a", "d"]


def test_named_run_is_not_called_the_last() -> None:
    """With another run than the last one the page names it, and says when it is the later one."""
    run = _run(verdict("T5", "held", 9.0))
    earlier = tuple(_earlier(day, verdict("T5", "held", 9.0)) for day in (19, 20))
    later = _earlier(22, verdict("T5", "held", 9.0))

    first = comparison(run, Beside(compared=earlier[0], earlier=earlier))
    after = comparison(run, Beside(compared=later, earlier=earlier))

    assert first is not None
    assert after is not None
    assert (first.title, first.column) == ("Against the run of 19 Nov 14:03", "Since 19 Nov 14:03")
    assert "That run is the later one of the two." in after.notes
    assert _against(run, *earlier).title == "Against the last run"


def test_default_that_is_not_the_last_run_says_why() -> None:
    """A run of a single scenario in between is passed over, and the page says so."""
    two = verdict("T5", "held", 9.0), verdict("N2", "held", 9.0), verdict("D3", "held", 9.0)
    whole, little = _earlier(19, *two), _earlier(20, two[0])

    found = comparison(_run(*two), Beside(compared=whole, earlier=(whole, little)))

    assert found is not None
    assert found.title == "Against the run of 19 Nov 14:03"
    assert found.notes == ("Later runs judged less than half of the same clauses.",)


def test_what_makes_runs_less_comparable_is_said() -> None:
    """Another image, verdicts that are missing here, and lines that could not be read."""
    then = _earlier(20, verdict("T5", "held", 9.0), verdict("N2", "held", 9.0), image="other:1")

    notes = _against(_run(verdict("T5", "held", 9.0)), then, unread=2).notes

    assert notes == (
        "Compared with the run of 20 Nov 14:03.",
        "That run tested another image: other:1.",
        "1 verdict of that run was not judged in this one.",
        "2 lines of the index of earlier runs could not be read and count for nothing here.",
    )


def test_nothing_in_common_is_said() -> None:
    """A run of other scenarios gives no rows, and the page says why."""
    then = _earlier(20, verdict("T5", "held", 9.0, scenario="another"))
    section = _page(_run(verdict("T5", "held", 9.0)), then).find("section", "against")[0]

    assert "judged none of the clauses" in section.find("p", "note")[0].words
    assert not section.find("table", "pairs")


def test_hostile_text_of_another_run_stays_text() -> None:
    """An index is a file that anybody may have written to."""
    run = sample_hostile.hostile()
    other = replace(digest(run), id="other", image=sample_hostile.HOSTILE + "2")
    content = render(run, Beside(compared=other, earlier=(other, other, other)))

    assert "<img" not in content
    assert not read(content).find("img")


def test_page_with_another_run_keeps_its_rules() -> None:
    """Links lead somewhere, drawings say themselves in words, names are unique."""
    run = sample_runs.typical(100)
    before = digest(run)
    points = tuple(replace(each, measured=0.0) for each in before.points)
    other = replace(before, points=points, began_at="2026-11-20T14:03:12+00:00")
    page = _page(run, *(replace(other, id=f"other-{n}") for n in range(3)))
    names = [each.attributes["id"] for each in page.inside if "id" in each.attributes]

    assert len(set(names)) == len(names)
    assert {each.attributes["href"] for each in page.find("a")} <= {f"#{name}" for name in names}
    for each in page.find("svg"):
        named = each.attributes.get("role") == "img" and each.attributes.get("aria-label")
        assert named or each.attributes.get("aria-hidden") == "true"
    assert page.find("svg", "dumbbell")
    assert page.find("svg", "sparkline")
