"""On a phone: 360 pixels wide."""

import pytest

from tests.reports import sample_hostile
from tests.reports.browser.looking import MARKED, unfold
from tests.reports.browser.opening import Opener, OpenPage

_WIDTH_PX = 360
# Tries to scroll each element, rather than to conclude from boxes whether it could be.
_SCROLLED = """marked => [...document.querySelectorAll("html, body, body *")].filter(each => {
    each.scrollTo({ left: 1000, behavior: "instant" });
    const scrolled = each.scrollLeft > 0;
    each.scrollTo({ left: 0, behavior: "instant" });
    return scrolled && !each.matches(marked);
}).map(each => each.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_nothing_scrolls_sideways(open_page: OpenPage, everything: str, *, scripts: bool) -> None:
    """Only tables that are marked as regions are wider than the screen, all unfolded."""
    page = open_page(everything, width_px=_WIDTH_PX, scripts=scripts)
    unfold(page)

    assert page.evaluate(_SCROLLED, MARKED) == []


def test_long_names_do_not_widen_the_page(open_page: OpenPage) -> None:
    """Names of outside that are long and without spaces are broken over lines."""
    page = open_page(sample_hostile.hostile(), width_px=_WIDTH_PX)
    unfold(page)

    assert page.evaluate(_SCROLLED, MARKED) == []


def test_a_wide_part_would_be_found(opener: Opener, everything: str) -> None:
    """The same page with one box that is too wide does not pass."""
    wide = '<div style="width: 500px">wide</div></main>'
    page = opener(everything.replace("</main>", wide), width_px=_WIDTH_PX)

    assert page.evaluate(_SCROLLED, MARKED) != []


def test_every_verdict_is_on_the_screen(open_page: OpenPage, everything: str) -> None:
    """Verdict, promise and measured value of each row are within the width of the screen."""
    page = open_page(everything, width_px=_WIDTH_PX)
    unfold(page)
    cells = page.locator("table.scorecard tbody td:is(.verdict, .promised, .measured)")
    boxes = [each.bounding_box() for each in cells.all()]

    assert len(boxes) == 3 * page.locator("table.scorecard tbody tr").count() > 0
    for box in boxes:
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= _WIDTH_PX
