"""How long the page of a large stored run takes, and how large it is: ``python -m bench.report``.

A million requests in forty scenarios. Reading the run, making the page and painting it are told
apart. Painting is the browser's own first contentful paint, counted from the opening of the file.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

from playwright.sync_api import Browser

from harness.run import load, save
from reports.page import render
from tests.reports.browser.chromium import ensure, launched
from tests.reports.sample_big import big

_OPENED = 5
_WIDTH_PX, _HEIGHT_PX = 1040, 800
# Resolves with the entry that is there, or that comes.
_FIRST_PAINT_MS = """() => new Promise(done => new PerformanceObserver((entries, observer) => {
    const [first] = entries.getEntriesByName("first-contentful-paint");
    if (first) { observer.disconnect(); done(first.startTime); }
}).observe({ type: "paint", buffered: true }))"""

Made = TypeVar("Made")


def measure() -> dict[str, object]:
    """Store the run, read it, make its page and open it."""
    ensure(lambda what: print(what, file=sys.stderr))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        save(big(), directory)
        load_s, stored = _timed(lambda: load(directory))
        build_s, content = _timed(lambda: render(stored).encode("utf-8", "replace"))
        page = directory / "report.html"
        page.write_bytes(content)
        with launched() as browser:
            _first_paint_ms(browser, page)  # a browser's first page costs more than any other
            painted_ms = [_first_paint_ms(browser, page) for _ in range(_OPENED)]
        return {
            "requests": sum(len(each.history.requests) for each in stored.scenarios),
            "scenarios": len(stored.scenarios),
            "load_s": round(load_s, 2),
            "build_s": round(build_s, 2),
            "load_and_build_s": round(load_s + build_s, 2),
            "page_mb": round(len(content) / 1e6, 2),
            "first_paint_ms": round(median(painted_ms)),
            "first_paint_max_ms": round(max(painted_ms)),
        }


def _timed(make: Callable[[], Made]) -> tuple[float, Made]:
    began_s = time.perf_counter()
    made = make()
    return time.perf_counter() - began_s, made


def _first_paint_ms(browser: Browser, file: Path) -> float:
    """Of a page opened in a context of its own, so that nothing is remembered."""
    context = browser.new_context(viewport={"width": _WIDTH_PX, "height": _HEIGHT_PX})
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        painted_ms: float = page.evaluate(_FIRST_PAINT_MS)
        return painted_ms
    finally:
        context.close()


def main() -> None:
    """Print the figures."""
    print(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    main()
