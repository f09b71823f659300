"""Values as the text that tables hold."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otlp_viewer.values import as_string, as_strings
from tests.support.laws import LAW


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("as it is", "as it is"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (2.0, "2"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (2.5e-7, "2.5e-7"),
        (1e16, "10000000000000000"),
        (1e21, "1e+21"),
        (-0.0, "-0"),
        (1e-100, "1e-100"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (b"\x00\xff", "AP8="),
        ([1, "a", None, True], '[1,"a",null,true]'),
        ({"b": [b"\x01"], "a": {}}, '{"a":{},"b":["AQ=="]}'),
    ],
)
def test_values_are_written_as_the_exporter_writes_them(value: object, text: str) -> None:
    """Go's rules: numbers without an exponent where they are not too large or small."""
    assert as_string(value) == text


@LAW
@given(st.floats(allow_nan=False))
def test_a_number_is_read_back_as_the_same_number(value: float) -> None:
    """Whatever its size; reports cast the text."""
    assert float(as_string(value)) == value


def test_what_utf_8_cannot_hold_is_replaced() -> None:
    """Lone surrogates, in keys and deep inside values too."""
    assert as_strings({"a\ud800": "b\udfff"}) == {"a?": "b?"}
    assert json.loads(as_string(["\ud800"])) == ["\ud800"]
    as_string(["\ud800"]).encode()


def test_nesting_that_is_deeper_than_a_decoder_goes_is_still_text() -> None:
    """Only rows made by hand are so deep: OTLP's decoders stop at a hundred."""
    value: list[object] = []
    for _ in range(300):
        value = [value]
    assert as_string(value) == "[" * 301 + "]" * 301
