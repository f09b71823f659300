"""Levels to severity numbers."""

from typing import Any

import pytest
from hypothesis import given

from logger_extension.signals.log_severity import SEVERITIES, read_severity
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_values


@pytest.mark.parametrize(
    ("levels", "number"),
    [
        (("TRACE", "trce", "silly", 10), 1),
        (("debug", "DEBUG", "dbug", 20, 25), 5),
        (("verbose",), 6),
        (("http",), 7),
        (("Info", "INFORMATION", "Information", " info ", 30, 39), 9),
        (("notice",), 10),
        (("WARN", "Warning", 40), 13),
        (("ERROR", "err", "fail", "SEVERE", 50), 17),
        (("CRITICAL", "Fatal", "crit", "panic", "EMERGENCY", 60, 69), 21),
    ],
)
def test_levels_of_all_loggers_have_numbers(levels: tuple[Any, ...], number: int) -> None:
    """Python, Node, winston, .NET, Log4j, zap and syslog in words; pino in tens."""
    assert {read_severity(level) for level in levels} == {number}


@pytest.mark.parametrize("level", ["", "loud", 0, 5, 70, -30, True, 30.0, None, ["INFO"], {}])
def test_what_is_no_level_has_no_number(level: Any) -> None:
    """Not a guess."""
    assert read_severity(level) == 0


def test_numbers_are_those_of_the_data_model() -> None:
    """1 to 24, in steps of four a range."""
    assert set(SEVERITIES.values()) <= set(range(1, 25))


@LAW
@given(json_values)
def test_any_value_is_a_level_or_none(level: Any) -> None:
    """Whatever stands in the field."""
    assert 0 <= read_severity(level) <= 24
