"""On paper no figure is cut, and the paper is white."""

from pathlib import Path

from PIL import ImageStat

from tests.reports.browser.looking import texts
from tests.reports.browser.opening import Opener, OpenPage
from tests.reports.browser.paper import WIDTH_PX, Figure, figures, first_sheet


def cut(found: list[Figure]) -> list[Figure]:
    """The figures that do not end on the page on which they begin."""
    return [each for each in found if each.begins != each.ends]


def test_no_figure_is_cut(open_page: OpenPage, everything: str, tmp_path: Path) -> None:
    """Each figure begins and ends on one sheet."""
    found = figures(open_page(everything), tmp_path)

    assert len(found) >= 12
    assert max(each.ends for each in found) > 2
    assert cut(found) == []


def test_a_cut_figure_would_be_found(opener: Opener, everything: str, tmp_path: Path) -> None:
    """The same page, with figures that may be cut, does not pass."""
    careless = "figure { break-inside: auto !important; padding-bottom: 400px }</style>"
    page = opener(everything.replace("</style>", careless))

    assert cut(figures(page, tmp_path)) != []


def test_nothing_is_wider_than_the_paper(open_page: OpenPage, everything: str) -> None:
    """On paper nothing can be scrolled, so everything has to fit."""
    page = open_page(everything, media="print", width_px=WIDTH_PX)

    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH_PX


def test_paper_is_white_for_readers_of_dark_screens(
    open_page: OpenPage, everything: str, tmp_path: Path
) -> None:
    """A reader whose screen is dark prints dark text on white, as any other."""
    sheets = [
        first_sheet(open_page(everything, scheme=scheme), tmp_path) for scheme in ("light", "dark")
    ]

    assert sheets[0].tobytes() == sheets[1].tobytes(), "the two sheets differ"
    assert sheets[1].getpixel((5, 5)) == (255, 255, 255)
    assert ImageStat.Stat(sheets[1].convert("L")).mean[0] > 200


def test_controls_are_not_printed(open_page: OpenPage, everything: str) -> None:
    """What is on paper was in the file: nothing that a script has added to be pressed."""
    printed = open_page(everything, media="print")
    written = open_page(everything, media="print", scripts=False)

    assert len(texts(printed)) > 100
    assert texts(printed) == texts(written)
