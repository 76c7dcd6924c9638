"""The page of a run that goes on, while it is being watched."""

from dataclasses import replace
from pathlib import Path

from harness.underway import Now
from reports.beside import Beside, Underway
from reports.page import render
from reports.underway import renewed
from tests.reports import sample_runs
from tests.reports.browser.opening import Opener, OpenPage

NOW = Now("test_kill", "2026-11-22T14:03:12+00:00", "steady, 5 s: 120 sent, 0 failed", 3)
RUN = replace(sample_runs.typical(300), finished=False, planned=8)


def test_browser_follows_the_run(opener: Opener, open_page: OpenPage) -> None:
    """The page shows by itself what is done now, scripts or not, and stays when the run is over."""
    before = Underway(True, NOW, 1.0)
    after = replace(before, now=replace(NOW, doing="injecting kill into replica-2"))
    content = render(RUN, Beside(underway=before))
    page = open_page(content, scripts=False)
    first = page.locator("p.underway").inner_text()

    file = opener.directory / "page-1.html"
    _write(file, renewed(content, before, after))
    page.wait_for_selector("text=injecting kill into replica-2")
    _write(file, render(replace(RUN, finished=True)))
    page.wait_for_selector("p.underway", state="detached")

    assert "steady, 5 s" in first
    assert page.locator("meta[http-equiv=refresh]").count() == 0
    assert page.title() == page.locator("h1").inner_text() + " " + " ".join(
        page.locator("p.detail").inner_text().split()
    )


def _write(file: Path, content: str) -> None:
    """Whole or not at all: the browser may load the page at any moment."""
    partial = file.with_suffix(".partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(file)
