"""Names, log lines and conditions that look like markup stay text in a real browser."""

from pathlib import Path

import pytest

from reports.page import render
from tests.reports.browser.looking import every_text, unfold
from tests.reports.browser.opening import Opener, OpenPage
from tests.reports.sample_beside import beside
from tests.reports.sample_hostile import HOSTILE, hostile


@pytest.fixture
def page_text(tmp_path: Path) -> str:
    """A page whose every text is hostile, the logs of its replicas too."""
    (tmp_path / "logs").mkdir()
    run = hostile()
    return render(run, beside(run, tmp_path / "logs", [HOSTILE, f'{{"message": "{HOSTILE}"}}']))


def test_hostile_text_is_shown_as_it_is(open_page: OpenPage, page_text: str) -> None:
    """It can be read in many places, and added no element to the page."""
    page = open_page(page_text)
    unfold(page)

    assert len([each for each in every_text(page) if HOSTILE in each]) > 30
    assert HOSTILE in page.title()
    assert page.locator("img").count() == 0
    assert page.locator("[onerror]").count() == 0


def test_hostile_text_does_nothing_when_the_page_is_used(
    open_page: OpenPage, page_text: str
) -> None:
    """Pointing at charts, pressing everything and typing it anywhere adds no element either."""
    page = open_page(page_text)
    unfold(page)
    for each in page.locator("svg.chart").all():
        each.hover()
        each.click()
    for each in page.locator("input:visible").all():
        each.fill(HOSTILE)
        each.fill("")
    for each in page.locator("button:visible").all():
        # One button may take another away.
        if each.is_visible():
            each.click()

    assert page.locator("img").count() == 0
    assert page.locator("[onerror]").count() == 0


def test_markup_would_run(opener: Opener) -> None:
    """The hostile text does run where it is not escaped: the tests above have something to see."""
    page = opener(f'<!doctype html><html lang="en"><script>"{HOSTILE}"</script>')
    page.wait_for_selector("img", state="attached")

    assert "dialog: 1" in opener.troubles()
