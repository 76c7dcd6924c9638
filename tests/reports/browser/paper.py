"""A page on paper: printed by the browser, read again from the PDF."""

import re
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from PIL import Image
from playwright.sync_api import Page

_MARGIN_MM = 12
_MARGINS = dict.fromkeys(("top", "right", "bottom", "left"), f"{_MARGIN_MM}mm")
WIDTH_PX = round((210 - 2 * _MARGIN_MM) / 25.4 * 96)
"""What is left of the width of A4."""

# Words at both ends of each figure, out of the flow, so that nothing moves.
_MARK = """figures => figures.forEach((figure, place) => {
    figure.style.position = "relative";
    for (const edge of ["top", "bottom"]) {
        const word = document.createElement("span");
        word.textContent = `zq${place}${edge}`;
        word.style.cssText = `position: absolute; ${edge}: 0; left: 0; font: 6px/1 monospace`;
        figure.append(word);
    }
})"""


@dataclass(frozen=True, slots=True)
class Figure:
    """On which page a figure begins, and on which it ends; pages count from one."""

    begins: int
    ends: int


def figures(page: Page, directory: Path) -> list[Figure]:
    """Where each figure of the page ends up on paper."""
    page.eval_on_selector_all("figure", _MARK)
    found: dict[str, int] = {}
    with pypdfium2.PdfDocument(_printed(page, directory)) as document:
        for number, sheet in enumerate(document, start=1):
            for word in re.findall(r"zq\d+(?:top|bottom)", sheet.get_textpage().get_text_range()):
                found[word] = number
    count = page.locator("figure").count()
    return [Figure(found[f"zq{each}top"], found[f"zq{each}bottom"]) for each in range(count)]


def first_sheet(page: Page, directory: Path) -> Image.Image:
    """A picture of the first sheet."""
    with pypdfium2.PdfDocument(_printed(page, directory)) as document:
        return document[0].render(scale=2).to_pil()


def _printed(page: Page, directory: Path) -> Path:
    path = directory / "printed.pdf"
    page.pdf(path=path, format="A4", margin=_MARGINS, print_background=True)
    return path
