"""Opens pages as a reader would, from a file, and notes whatever a page of ours must never do."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Frame, Page, Request

from harness.run import Run
from reports.beside import Beside
from reports.page import render


@dataclass(frozen=True, slots=True)
class View:
    """How a reader looks at a page."""

    scheme: Literal["light", "dark"] = "light"
    media: Literal["print"] | None = None  # None: screen, and paper when it is printed
    width_px: int = 1040
    height_px: int = 800
    scripts: bool = True


class OpenPage(Protocol):
    """Opens a run, or a page that is written already; the options are those of a View."""

    def __call__(
        self, shown: Run | str, *, beside: Beside | None = None, **options: object
    ) -> Page:
        """The page, loaded."""


@dataclass(slots=True)
class Opener:
    """Opens pages in one browser, and watches them until it is asked what they did."""

    browser: Browser
    directory: Path
    pages: list[Page] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    def __call__(
        self, shown: Run | str, *, beside: Beside | None = None, **options: object
    ) -> Page:
        """Write the page to a file and open it."""
        view = View(**options)  # type: ignore[arg-type]
        content = shown if isinstance(shown, str) else render(shown, beside)
        file = self.directory / f"page-{len(self.pages) + 1}.html"
        file.write_text(content, encoding="utf-8")
        context = self.browser.new_context(
            viewport={"width": view.width_px, "height": view.height_px},
            color_scheme=view.scheme,
            java_script_enabled=view.scripts,
            # Smooth scrolling would have a test read positions on the way.
            reduced_motion="reduce",
        )
        page = context.new_page()
        self._watch(page, file.as_uri())
        if view.media is not None:
            page.emulate_media(media=view.media)
        page.goto(file.as_uri())
        self.pages.append(page)
        return page

    def troubles(self) -> list[str]:
        """What the pages did up to now that none of ours may do."""
        for page in self.pages:
            if not page.is_closed():
                page.evaluate("0")  # what the browser told before this answer is noted by now
        return self.noted

    def close(self) -> None:
        """Close all pages."""
        for page in self.pages:
            page.context.close()

    def _watch(self, page: Page, address: str) -> None:
        def console(message: ConsoleMessage) -> None:
            self.noted.append(f"console {message.type}: {message.text}")

        def request(made: Request) -> None:
            if made.url.partition("#")[0] != address:
                self.noted.append(f"request: {made.url}")

        def dialog(shown: Dialog) -> None:
            self.noted.append(f"dialog: {shown.message}")
            shown.dismiss()

        def left(frame: Frame) -> None:
            if frame == page.main_frame and frame.url.partition("#")[0] not in ("", address):
                self.noted.append(f"left for: {frame.url}")

        page.on("console", console)
        page.on("pageerror", lambda error: self.noted.append(f"error: {error}"))
        page.on("request", request)
        page.on("framenavigated", left)
        page.on("websocket", lambda socket: self.noted.append(f"request: {socket.url}"))
        page.on("dialog", dialog)
        page.on("popup", lambda opened: self.noted.append(f"window: {opened.url}"))
