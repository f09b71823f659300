"""Values to words and figures."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from web_view.formatting import (
    format_age,
    format_bytes,
    format_figure,
    format_moment,
    format_ms,
    format_offset_ms,
    format_share,
    format_usd,
    format_usd_per_million,
    is_shortened,
    pretty,
    shorten,
)

_NS_PER_S = 1_000_000_000
_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_a_moment_is_utc_to_the_millisecond() -> None:
    """And what is below a millisecond is cut, not rounded."""
    assert format_moment(1_700_000_000_123_999_999) == "2023-11-14 22:13:20.123"
    assert format_moment(0) == "-"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7_199, "1 h ago"),
        (200_000, "2 d ago"),
        (-5, "in 5 s"),
    ],
)
def test_an_age_has_its_largest_unit(seconds: int, words: str) -> None:
    """The clock of a sender may also be ahead of ours."""
    assert format_age(0, seconds * _NS_PER_S) == words


def test_figures_of_a_column_align() -> None:
    """The same decimals whatever the size, and nothing for what is not known."""
    assert [format_ms(value) for value in (0.04, 12, 1234.56, None)] == [
        "0.0",
        "12.0",
        "1,234.6",
        "",
    ]
    assert [format_offset_ms(value) for value in (12.34, -3)] == ["+12.3", "-3.0"]
    assert [format_usd(value) for value in (0.0000021, None)] == ["$0.000002100", ""]
    assert [format_usd_per_million(value) for value in (0.0000021, None)] == ["$2.10", ""]
    assert [format_share(*each) for each in ((1, 3), (1, 0), (None, 1))] == ["33.3%", "", ""]
    assert [format_figure(value) for value in (3.0, 0.123456, 1234567.0, None)] == [
        "3",
        "0.1235",
        "1,234,567",
        "",
    ]


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(None, ""), (0, "0 B"), (1_536, "1.5 KiB"), (3 * 1024**2, "3.0 MiB"), (5e12, "4,656.6 GiB")],
)
def test_a_size_has_its_unit(size_bytes: float | None, words: str) -> None:
    """Binary ones, because memory is counted so."""
    assert format_bytes(size_bytes) == words


def test_json_is_indented_and_stays_as_it_was_written() -> None:
    """Figures of any length, the order of fields and their repetition are the sender's."""
    text = '{"id":12345678901234567890.10,"a":[],"b":{"c":[1,{"x":"a,b:{}"}]},"b":1e400}'
    assert pretty(text) == (
        '{\n  "id": 12345678901234567890.10,\n  "a": [],\n  "b": {\n    "c": [\n      1,\n'
        '      {\n        "x": "a,b:{}"\n      }\n    ]\n  },\n  "b": 1e400\n}'
    )


@pytest.mark.parametrize("text", ["", "hello", "{not json}", '"text"', "[" * 100_000])
def test_what_is_no_json_object_or_list_is_left_alone(text: str) -> None:
    """Deep brackets too: they are refused, not followed."""
    assert pretty(text) == text


@given(value=st.lists(_json_values, max_size=4) | st.dictionaries(st.text(), _json_values))
def test_indented_json_means_the_same(value: object) -> None:
    """For whatever value."""
    assert json.loads(pretty(json.dumps(value))) == value
    assert json.loads(pretty(json.dumps(value, ensure_ascii=False))) == value


@given(depth=st.integers(1, 400), width=st.integers(1, 50))
def test_indenting_does_not_blow_up(depth: int, width: int) -> None:
    """Deep levels are drawn at one, so a hostile body cannot become a page of blanks."""
    text = "[" * depth + ",".join("1" * width) + "]" * depth
    assert len(pretty(text)) <= 50 * len(text)


@given(text=st.text(), max_bytes=st.integers(0, 60))
def test_shortened_text_keeps_to_its_bytes_in_the_page(text: str, max_bytes: int) -> None:
    """Escaped and encoded, and the ellipsis beside it."""
    short = shorten(text, max_bytes)
    assert len(str(escape(short)).encode()) <= max_bytes + len("…".encode())


@given(text=st.text(max_size=60))
def test_text_that_fits_is_whole(text: str) -> None:
    """But for what nobody could see."""
    assert shorten(text, 10_000) == shorten(text, 20_000)
    assert not is_shortened(text, 10_000)


def test_text_that_is_cut_says_so() -> None:
    """With an ellipsis."""
    assert shorten("x" * 20, 5) == "xxxxx…"
    assert is_shortened("x" * 20, 5)
    assert not is_shortened("x…", 5)


def test_what_cannot_be_seen_is_shown() -> None:
    """A right-to-left override or an escape sequence may not change what is read."""
    assert shorten("a\u202eb\x1b[31mc", 100) == r"a\u202eb\x1b[31mc"
