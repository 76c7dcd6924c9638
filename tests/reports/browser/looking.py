"""What several tests do with an open page."""

from playwright.sync_api import Page

MARKED = ":is([role=region], [role=group])[tabindex='0'][aria-label]"
"""The parts of the page that may be wider than it, and are scrolled by themselves."""

_TEXTS = """without => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
        const { data, parentElement } = walker.currentNode;
        const left_out = parentElement.closest(`script, style, title, ${without}`);
        if (!left_out && parentElement.checkVisibility()) texts.push(data);
    }
    return texts;
}"""


def unfold(page: Page) -> None:
    """Open all that can be opened."""
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")


def texts(page: Page, without: str = "script") -> set[str]:
    """The pieces of text that can be seen, but for those in elements of this selector."""
    return set(every_text(page, without))


def every_text(page: Page, without: str = "script") -> list[str]:
    """The same, each as often as it is there."""
    found: list[str] = page.evaluate(_TEXTS, without)
    return [spaced for each in found if (spaced := " ".join(each.split()))]
