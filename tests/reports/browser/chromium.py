"""The system's Chromium, driven by Playwright: found, installed where that may be, started.

``python -m tests.reports.browser.chromium`` installs it where none is, or says what to install.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from harness import engine
from harness.errors import EngineError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_VARIABLE = "CHROMIUM"


class BrowserError(Exception):
    """No browser is where one was expected."""


def find() -> str | None:
    """The path of the browser that the environment names, or of the first that is installed."""
    named = os.environ.get(_VARIABLE)
    candidates = (named,) if named else _NAMES
    return next((path for each in candidates if (path := shutil.which(each))), None)


def ensure(say: engine.Say) -> str:
    """The path of a browser; as root on Debian it is installed if need be."""
    if (found := find()) is None and _VARIABLE not in os.environ:
        try:
            engine.install_packages(say, "chromium")
        except EngineError as error:
            raise BrowserError(_missing()) from error
        found = find()
    if found is None:
        raise BrowserError(_missing())
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window, closed at the end."""
    path = find()
    if path is None:
        raise BrowserError(_missing())
    # Chromium refuses to build its sandbox as root. The pages that it opens are our own.
    sandbox = os.geteuid() != 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox)
        try:
            yield browser
        finally:
            browser.close()


def _missing() -> str:
    if named := os.environ.get(_VARIABLE):
        return f"expected a browser at {_VARIABLE}={named}, but nothing there can be run"
    return (
        f"expected Chromium on this machine, but none of {', '.join(_NAMES)} is found; install it "
        f"(Debian: sudo apt-get install chromium), or name it: {_VARIABLE}=PATH"
    )


def main() -> int:
    """Make sure that there is a browser; the exit status."""
    try:
        ensure(lambda what: print(f"tests: {what}", file=sys.stderr))
    except BrowserError as error:
        print(f"tests: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
