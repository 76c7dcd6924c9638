"""The tests of the page would notice: each thing that a page must not do is seen when one does."""

import pytest

from tests.reports.browser.opening import Opener

_PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">{}'
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:">'
)


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        ('<img src="other.png" alt="">', "request: file://"),
        ("<script>fetch('https://example.invalid/')</script>", "request: https://example.invalid/"),
        ("<script>console.log('a word')</script>", "console log: a word"),
        ("<script>throw new Error('a fault')</script>", "error: a fault"),
        ("<script>alert('a question')</script>", "dialog: a question"),
        ("<script>location = 'about:blank'</script>", "left for: about:blank"),
        (f"{_POLICY}<script>0</script>", "console error: "),
        (f'{_POLICY}<img src="https://example.invalid/" alt="">', "console error: "),
        (f'{_POLICY}<p onclick="0">text</p>', "console error: "),
    ],
)
def test_trouble_is_noted(opener: Opener, content: str, noted: str) -> None:
    """A request, a word on the console, a failure, a dialog, a breach of the policy."""
    opener(_PAGE.format(content))

    assert [each for each in opener.troubles() if each.startswith(noted)]


def test_trouble_is_noted_after_opening(opener: Opener) -> None:
    """What a page does only when it is used is noted as well."""
    page = opener(_PAGE.format("<button onclick=\"window.open('about:blank')\">press</button>"))
    before = list(opener.troubles())
    with page.expect_popup():
        page.get_by_role("button").click()

    assert before == []
    assert [each for each in opener.troubles() if each.startswith("window: ")]


def test_quiet_page_is_quiet(opener: Opener) -> None:
    """A page that does none of this has nothing noted, with scripts and without."""
    content = _PAGE.format("<h1>title</h1><script>document.title = 'title'</script>")
    opener(content)
    opener(content, scripts=False)

    assert opener.troubles() == []
