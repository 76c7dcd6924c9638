"""The page can be used with a keyboard and a screen reader, in light and dark, wide and narrow."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.reports.browser.looking import unfold
from tests.reports.browser.opening import Opener, OpenPage

_CONTROLS = "a[href], :is(button, input, select):enabled, summary, [tabindex]:not([tabindex='-1'])"
_FIND = """selector => [...document.querySelectorAll(selector)].filter(
    each => each.checkVisibility({ visibilityProperty: true })
)"""
_FOCUSED = """controls => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const marked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
    return [controls.indexOf(document.activeElement), marked];
}"""


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page, with the first place of each."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize("width_px", [1040, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(
    open_page: OpenPage, everything: str, scheme: Literal["light", "dark"], width_px: int
) -> None:
    """By axe-core's rules for WCAG and its best practices, folded and unfolded."""
    page = open_page(everything, scheme=scheme, width_px=width_px)
    folded = violations(page)
    unfold(page)

    assert folded == []
    assert violations(page) == []


def test_a_violation_would_be_found(opener: Opener, everything: str) -> None:
    """The same page with pale text, or with a picture without words, does not pass."""
    pale = opener(everything.replace("</main>", '<p style="color: #bbb">pale</p></main>'))
    mute = opener(everything.replace("</main>", '<img src="data:,"></main>'))

    assert [each.partition(":")[0] for each in violations(pale)] == ["color-contrast"]
    assert [each.partition(":")[0] for each in violations(mute)] == ["image-alt"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_every_control_is_reached_by_keyboard(
    open_page: OpenPage, everything: str, *, scripts: bool
) -> None:
    """The tabulator visits all controls in the order of the page, nothing else, and marks each."""
    page = open_page(everything, scripts=scripts)
    unfold(page)
    controls = page.evaluate_handle(_FIND, _CONTROLS)
    count = controls.evaluate("controls => controls.length")
    visited = []
    for _ in range(count):
        page.keyboard.press("Tab")
        visited.append(controls.evaluate(_FOCUSED))

    assert count > 50
    assert visited == [[place, True] for place in range(count)]


def test_folded_parts_open_by_keyboard(open_page: OpenPage, everything: str) -> None:
    """Enter on a summary shows what is folded under it, and hides it again."""
    page = open_page(everything, scripts=False)
    summary = page.locator("details:not([open]) > summary:visible").first.element_handle()
    folded = summary.evaluate_handle("summary => summary.nextElementSibling").as_element()
    assert folded is not None
    seen = [folded.is_visible()]
    for _ in range(2):
        summary.press("Enter")
        seen.append(folded.is_visible())

    assert seen == [False, True, False]


def test_links_lead_to_where_they_say(open_page: OpenPage, everything: str) -> None:
    """A press on a verdict's link brings its evidence onto the screen, however far it is."""
    page = open_page(everything, scripts=False)
    link = page.locator("td.link a").last
    target = link.get_attribute("href")
    link.click()
    box = page.locator(f"{target} > summary").bounding_box()

    assert box is not None
    assert 0 <= box["y"] <= 800
