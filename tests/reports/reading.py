"""Reads a page as a browser would: its elements, their attributes, and their text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link"}


@dataclass
class Element:
    """One element with all the text inside it."""

    name: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)
    inside: list["Element"] = field(default_factory=list)

    @property
    def words(self) -> str:
        """Its text with single spaces."""
        return " ".join("".join(self.text).split())

    def find(self, name: str, kind: str = "") -> list["Element"]:
        """The elements of this name inside it, of one CSS class if given."""
        return [
            each
            for each in self.inside
            if each.name == name and (not kind or kind in each.attributes.get("class", "").split())
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        for each in self.open:
            each.inside.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open[-1].name, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for each in self.open:
            each.text.append(data)


def read(page: str) -> Element:
    """The page's elements. Fails where a tag is closed that is not open."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root], f"<{reader.open[-1].name}> is never closed"
    return reader.root
