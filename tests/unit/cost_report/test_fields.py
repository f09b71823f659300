"""What invocations are grouped by."""

import pytest

from cost_report.breakdown import FIELDS
from cost_report.errors import UnknownFieldError
from cost_report.fields import FieldValue, check_fields, name_field, name_value, parse_value
from tests.support.cost_rows import make_table


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("memory_size_mb", "512", 512),
        ("memory_size_mb", "512 MB", 512),
        ("is_cold_start", "cold", True),
        ("is_cold_start", "Warm", False),
        ("version", "7", "7"),
        ("alias", "", ""),
    ],
)
def test_a_value_is_read_as_its_field_has_it(field: str, text: str, value: FieldValue) -> None:
    """A version stays text, a size is a number."""
    assert parse_value(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "advice"),
    [
        ("memory_size_mb", "small", "write megabytes"),
        ("memory_size_mb", "-1", "write megabytes"),
        ("is_cold_start", "hot", "write cold or warm"),
        ("memory", "512", "there are function"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(field: str, text: str, advice: str) -> None:
    """The message names the way to write it."""
    with pytest.raises(UnknownFieldError, match=advice):
        parse_value(field, text)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("version", "7", "version 7"),
        ("memory_size_mb", 512, "512 MB"),
        ("memory_size_mb", None, "unknown memory size"),
        ("alias", "", "no alias"),
        ("alias", "live", "alias live"),
        ("architecture", "arm64", "arm64"),
        ("architecture", "", "unknown architecture"),
        ("is_cold_start", True, "a cold start"),
        ("is_cold_start", False, "a warm start"),
        ("function", "shop", "shop"),
    ],
)
def test_a_value_has_words_for_a_sentence(field: str, value: FieldValue, words: str) -> None:
    """Also one that nobody told."""
    assert name_value(field, value) == words


def test_every_field_is_a_column_and_has_a_name() -> None:
    """Of the table of invocations."""
    check_fields(FIELDS)
    columns = make_table([]).columns
    assert set(FIELDS) <= set(columns)
    assert name_field("memory_size_mb") == "memory size"
