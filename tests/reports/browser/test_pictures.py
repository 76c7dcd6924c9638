"""Pictures of the page, for people who look at what has changed: kept in reports/pictures/."""

from pathlib import Path

import pytest
from PIL import Image, ImageStat

import reports
from tests.reports.browser.opening import OpenPage
from tests.reports.browser.paper import first_sheet

PICTURES = Path(reports.__file__).parent / "pictures"


def brightness(path: Path) -> float:
    """The mean of a picture, 0 is black and 255 white."""
    with Image.open(path) as picture:
        return ImageStat.Stat(picture.convert("L")).mean[0]


@pytest.fixture(autouse=True)
def folder() -> None:
    """The folder is there."""
    PICTURES.mkdir(exist_ok=True)


def test_pictures_of_screens(open_page: OpenPage, everything: str) -> None:
    """Light, dark and phone: each is as wide as the screen, and as light or dark as its name."""
    views = {
        "light": {"width_px": 1040},
        "dark": {"width_px": 1040, "scheme": "dark"},
        "phone": {"width_px": 360},
    }
    for name, view in views.items():
        page = open_page(everything, **view)
        # What is far below the screen is not drawn before it comes near.
        page.add_style_tag(content=".scenario { content-visibility: visible !important }")
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    for name, view in views.items():
        with Image.open(PICTURES / f"{name}.png") as picture:
            assert picture.width == view["width_px"]
            assert picture.height > 2000
    assert brightness(PICTURES / "dark.png") < 80
    assert brightness(PICTURES / "light.png") > 180


def test_picture_of_the_first_sheet(open_page: OpenPage, everything: str, tmp_path: Path) -> None:
    """Print: the first sheet of the PDF, upright and white."""
    path = PICTURES / "print.png"
    first_sheet(open_page(everything), tmp_path).save(path)

    with Image.open(path) as picture:
        assert picture.height > picture.width
    assert brightness(path) > 180
