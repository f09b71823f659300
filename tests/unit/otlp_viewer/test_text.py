"""Foreign text made safe for a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otlp_viewer.text import (
    clean,
    clean_line,
    format_cost,
    format_ms,
    format_severity,
    format_time,
    format_value,
    severity_range,
)


@given(st.text(st.characters(), max_size=50))
def test_no_control_character_survives(text: str) -> None:
    """Whatever a log line holds, the terminal gets only printable characters and newlines."""
    categories = {unicodedata.category(char) for char in clean(text) if char != "\n"}
    assert not categories & {"Cc", "Cs", "Zl", "Zp"}
    assert "\n" not in clean_line(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("50 %\rdone\x08", "50 %\ndone\\x08"),
        ("\x9b31mred", r"\x9b31mred"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ("a\r\nb\tc", "a\nb    c"),
        ("naïve 漢字 🙂", "naïve 漢字 🙂"),
    ],
)
def test_escapes_show_what_was_there(text: str, shown: str) -> None:
    """Terminal sequences stay readable, ordinary text stays as it is."""
    assert clean(text) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    """A log line of a mebibyte does not fill the screen."""
    assert clean("x" * 1_048_576, max_chars=3) == "xxx… (1,048,576 characters)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (None, ""),
        (True, "true"),
        (7, "7"),
        ({"a": [1, 2.5, "ü"]}, '{"a": [1, 2.5, "ü"]}'),
        (b"\x00\xff", '"00ff"'),
        ({"bell": "\x07"}, r'{"bell": "\u0007"}'),
        ([float("nan")], "[NaN]"),
    ],
)
def test_values_that_are_no_text_are_shown_as_json(value: object, shown: str) -> None:
    """Bytes, which JSON has not, as hex."""
    assert format_value(value) == shown


def test_times_are_of_utc_and_exact_to_the_millisecond() -> None:
    """A float of nanoseconds would round the last digit now and then."""
    assert format_time(1_700_000_000_999_999_999) == "22:13:20.999"
    assert format_time(0) == "-"
    assert format_time(2**64 - 1) == "23:34:33.709"


def test_unknown_figures_are_empty() -> None:
    """A zero would be a statement."""
    assert (format_ms(None), format_ms(0.04), format_ms(1234.56)) == ("", "0.0", "1,234.6")
    assert (format_cost(None), format_cost(2.1e-9)) == ("", "$0.000000002")


@pytest.mark.parametrize(
    ("number", "text", "shown"),
    [(9, "", "INFO"), (17, "ERROR", "ERROR"), (21, "CRITICAL", "CRITI"), (0, "", ""), (99, "", "")],
)
def test_the_severity_is_the_sources_own_word_or_the_name_of_its_range(
    number: int, text: str, shown: str
) -> None:
    """As OTLP has it: the text is the original, the number the meaning."""
    assert format_severity(number, text) == shown


def test_each_severity_number_belongs_to_a_range_of_four() -> None:
    """1-4 TRACE to 21-24 FATAL; anything else to none."""
    ranges = [severity_range(number) for number in range(-1, 27)]
    assert ranges == [0, 0, *[n for n in range(1, 7) for _ in range(4)], 0, 0]
