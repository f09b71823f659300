"""Which lines are sent."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.events import FunctionLog
from logger_extension.signals.log_rules import MATCHED_CHARS, LogRules, get_severity
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_objects

WARN = 13


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"level": "INFO", "message": "x"}, "severity"),
        ({"level": "WARN", "message": "x"}, ""),
        ('{"level": "debug", "message": "x"}\n', "severity"),
        ("[INFO] x", "severity"),
        ("[ERROR] x", ""),
        ("no level", ""),
        ({"level": "loud", "message": "x"}, ""),
    ],
)
def test_the_least_severity(record: str | dict[str, Any], reason: str) -> None:
    """A line without a level passes: nobody said that it is unimportant."""
    assert LogRules(min_severity=WARN).find_reason(FunctionLog(record)) == reason


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (LogRules(include=re.compile("paid")), ""),
        (LogRules(include=re.compile("lost")), "include"),
        (LogRules(exclude=re.compile("paid")), "exclude"),
        (LogRules(exclude=re.compile("lost")), ""),
        (LogRules(include=re.compile("order"), exclude=re.compile("17")), "exclude"),
    ],
)
@pytest.mark.parametrize("record", ["order 17 paid\n", {"message": "order 17", "state": "paid"}])
def test_what_must_and_must_not_match(
    record: str | dict[str, Any], rules: LogRules, reason: str
) -> None:
    """The line as it was printed, an object as JSON."""
    assert rules.find_reason(FunctionLog(record)) == reason


def test_only_the_beginning_of_a_long_line_is_matched() -> None:
    """So that it costs no more than a short one."""
    rules = LogRules(exclude=re.compile("secret"))
    assert rules.find_reason(FunctionLog("x" * MATCHED_CHARS + "secret")) == ""
    assert rules.find_reason(FunctionLog("x" * (MATCHED_CHARS - 6) + "secret")) == "exclude"


def test_no_rules_are_off() -> None:
    """Then nobody need ask."""
    assert LogRules().are_off
    assert not LogRules(min_severity=1).are_off
    assert not LogRules(include=re.compile("")).are_off
    assert not LogRules(exclude=re.compile("")).are_off


@LAW
@given(st.text() | json_objects)
def test_without_rules_every_line_is_sent(record: str | dict[str, Any]) -> None:
    """Whatever it is."""
    assert LogRules().find_reason(FunctionLog(record)) == ""
    assert 0 <= get_severity(FunctionLog(record)) <= 24
