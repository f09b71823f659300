"""Reads pages as a browser without script would: text, links, rows."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import aiohttp
from multidict import CIMultiDictProxy

_VOID = {"meta", "link", "input", "br", "img", "hr"}


@dataclass(slots=True)
class Element:
    """An element with its attributes, its children, and the text in it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text within, blanks drawn together."""
        return " ".join(self.raw_text.split())

    @property
    def raw_text(self) -> str:
        """All text within."""
        return "".join(c if isinstance(c, str) else c.raw_text for c in self.children)

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """Return the elements within with these attributes, in order; `class_` holds a class."""
        found = []
        for child in self.children:
            if isinstance(child, str):
                continue
            if child.tag == tag and all(child.has(*each) for each in attributes.items()):
                found.append(child)
            found.extend(child.all(tag, **attributes))
        return found

    def one(self, tag: str, **attributes: str) -> "Element":
        """Return the only element with these attributes."""
        [found] = self.all(tag, **attributes)
        return found

    def has(self, name: str, value: str) -> bool:
        """Return whether an attribute has this value."""
        if name == "class_":
            return value in self.attributes.get("class", "").split()
        return self.attributes.get(name.replace("_", "-")) == value


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        # As browsers do: what was left open ends with what holds it.
        for place in range(len(self.open) - 1, 0, -1):
            if self.open[place].tag == tag:
                del self.open[place:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse_page(text: str) -> Element:
    """Return a page as its root, whose only element is `html`."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return parser.open[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, its headers, and its body as text."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str
    address: str

    @property
    def page(self) -> Element:
        """The body as a page."""
        return parse_page(self.text)

    @property
    def main(self) -> Element:
        """What stands between head and foot."""
        return self.page.one("main")


class PageReader:
    """Asks one server for pages."""

    def __init__(self, endpoint: str, session: aiohttp.ClientSession) -> None:
        """Ask `endpoint`."""
        self.endpoint = endpoint
        self.session = session

    async def get(self, address: str, **headers: str) -> Answer:
        """Return the answer to a GET; names of headers have "_" for "-"."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(self.endpoint + address, headers=named) as response:
            return Answer(
                response.status,
                response.headers,
                await response.text(),
                response.url.path_qs,
            )
