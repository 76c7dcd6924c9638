"""The page's colours can be told from their background, on light and on dark paper."""

import re
from pathlib import Path

import pytest

import reports

_CSS = "".join(
    each.read_text(encoding="utf-8")
    for each in sorted((Path(reports.__file__).parent / "templates" / "style").glob("*.css"))
)
_LEAST = 4.5  # WCAG 2, level AA
_PAIRS = [
    *(
        (text, ground)
        for text in ("ink", "soft", "held", "broken", "doubt", "wrong", "link")
        for ground in ("paper", "wash")
    ),
    *(("ink", ground) for ground in ("fault", "recovery")),
    *(("strip-ink", ground) for ground in ("ready", "starting", "down")),
]


def _palette(block: int) -> dict[str, str]:
    root = re.findall(r":root \{(.*?)\}", _CSS, re.DOTALL)[block]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", root))


def _luminance(colour: str) -> float:
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("block", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), _PAIRS)
def test_text_stands_out(block: int, text: str, ground: str) -> None:
    """Every text colour has a contrast of at least 4.5 to 1 on each of its backgrounds."""
    palette = _palette(block)
    low, high = sorted((_luminance(palette[text]), _luminance(palette[ground])))

    assert (high + 0.05) / (low + 0.05) >= _LEAST


def test_dark_paper_is_for_screens_only() -> None:
    """Print is always light."""
    assert "@media screen and (prefers-color-scheme: dark)" in _CSS
    assert _CSS.count("prefers-color-scheme") == 1


def test_every_colour_has_a_dark_twin() -> None:
    """No colour of the light page is left over on the dark one."""
    assert _palette(0).keys() == _palette(1).keys()
