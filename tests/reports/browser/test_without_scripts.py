"""Everything on the page is there for a reader whose browser runs no scripts."""

from tests.reports.browser.looking import texts, unfold
from tests.reports.browser.opening import Opener, OpenPage

_CONTROLS = "button, label, output, [aria-live]"
"""What a script may add: things to press, and words about what they did."""


def test_no_text_needs_a_script(open_page: OpenPage, everything: str) -> None:
    """Scripts hide nothing, and add controls only."""
    without, scripted = open_page(everything, scripts=False), open_page(everything)
    unfold(without)
    unfold(scripted)

    assert len(texts(without)) > 200
    assert texts(without) - texts(scripted) == set()
    assert texts(scripted, _CONTROLS) - texts(without) == set()


def test_a_text_that_needs_a_script_would_be_found(opener: Opener) -> None:
    """A line that a script has to show is none of those that are there without."""
    content = (
        '<!doctype html><html lang="en"><p>shown</p><p id="late" hidden>late</p>'
        '<script>document.getElementById("late").hidden = false</script>'
    )

    assert texts(opener(content, scripts=False)) == {"shown"}
    assert texts(opener(content)) == {"shown", "late"}


def test_every_chart_is_drawn(open_page: OpenPage, everything: str) -> None:
    """Each picture has its place on the page."""
    charts = open_page(everything, scripts=False).locator("figure svg.chart").all()

    assert len(charts) >= 12
    for each in charts:
        box = each.bounding_box()
        assert box is not None
        assert box["width"] > 500
        assert box["height"] > 40


def test_data_tables_open_by_a_click(open_page: OpenPage, everything: str) -> None:
    """The table behind a chart is shown when its summary is pressed."""
    table = open_page(everything, scripts=False).locator("figure details.data").first
    before = table.locator("td").first.is_visible()
    table.locator("summary").click()

    assert not before
    assert table.locator("td").first.is_visible()
