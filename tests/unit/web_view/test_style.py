"""What the style sheet and the templates promise, read from themselves."""

import re
from pathlib import Path

import pytest

import web_view

_ROOM = Path(web_view.__file__).parent
_CSS = (_ROOM / "static/page.css").read_text()
_SCRIPT = (_ROOM / "static/page.js").read_text()
_TEMPLATES = {path.name: path.read_text() for path in (_ROOM / "templates").glob("*.html")}
_LIGHT = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", _CSS.partition("@media")[0]))
_DARK_BLOCK = _CSS.partition("prefers-color-scheme: dark")[2].partition("@media")[0]
_DARK = _LIGHT | dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", _DARK_BLOCK))
_TEXTS = ("text", "quiet", "link", "good", "warn", "bad", "cold")
_GROUNDS = ("page", "surface", "mark", "bad-surface", "warn-surface", "cold-surface")
_BARS = ("invocation", "handler", "init", "extension", "runtime", "own")


def _luminance(colour: str) -> float:
    """Return relative luminance as WCAG defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [_LIGHT, _DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_ground(theme: dict[str, str]) -> None:
    """By WCAG's level AA: 4.5 for text, also on bars; 3 for bars on the page."""
    assert len(theme) > len(_TEXTS)
    for ground in _GROUNDS:
        for text in _TEXTS:
            assert _contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for bar in _BARS:
        assert _contrast(theme[bar], theme["page"]) >= 3, bar
        assert _contrast(theme["on-bar"], theme[bar]) >= 4.5, bar


def test_both_themes_say_every_colour() -> None:
    """A colour of one theme alone would be wrong in the other."""
    assert set(re.findall(r"--([\w-]+): #", _DARK_BLOCK)) == set(_LIGHT)


def test_no_template_lets_markup_through() -> None:
    """Escaping is never turned off; figures go as JSON, which escapes on its own."""
    for name, text in _TEMPLATES.items():
        assert not re.search(r"\|\s*safe|autoescape|Markup", text), name
        assert not re.search(r"\son\w+=|style=|javascript:", text), name


def test_nothing_names_another_host() -> None:
    """The page needs none."""
    for name, text in {**_TEMPLATES, "page.css": _CSS, "page.js": _SCRIPT}.items():
        assert not re.search(r"https?://(?!\{\{ host \}\})", text), name
        assert "@import" not in text
    assert not re.search(r"\beval\(|innerHTML\s*=|document\.write|new Function", _SCRIPT)


def test_motion_can_be_turned_off() -> None:
    """For those whom it makes ill."""
    assert "prefers-reduced-motion: reduce" in _CSS
