"""A browser for the tests of the page, and a way to open pages in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from reports.page import render
from tests.reports import sample_runs
from tests.reports.browser.chromium import launched
from tests.reports.browser.opening import Opener, OpenPage
from tests.reports.sample_beside import beside


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser. Playwright's event loop runs in this thread as long as it lives.

    No test of another file could start a loop of its own meanwhile, so each file has a browser.
    """
    with launched() as browser:
        yield browser


@pytest.fixture
def opener(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens pages, and tells their troubles when asked."""
    opener = Opener(browser, tmp_path)
    yield opener
    opener.close()


@pytest.fixture
def open_page(opener: Opener) -> Iterator[OpenPage]:
    """Opens pages: ``open_page(run_or_html, **options) -> Page``; the options are View's.

    At the end of the test no page may have asked for anything but its own file, written to the
    console, failed, broken its Content-Security-Policy, or opened a dialog or a window.
    """
    yield opener
    assert opener.troubles() == []


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with all kinds of verdicts, and with everything that may lie beside a run."""
    run = sample_runs.typical()
    return render(run, beside(run, tmp_path_factory.mktemp("logs")))
