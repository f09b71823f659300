"""Times and ids of a line."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.log_reading import (
    MAX_AGE_NANO,
    read_span_id,
    read_time,
    read_trace_id,
)
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_values

S = 1_000_000_000
NEAR = 1_795_427_494_620_000_000  # 2026-11-23T09:51:34.620Z
TRACE = "5f35ae120c0fec141ab77a00bc047aa2"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T09:51:34.250Z", NEAR - 370_000_000),
        ("2026-11-23T10:51:34.250+01:00", NEAR - 370_000_000),
        ("2026-11-23 09:51:34,250+0000", NEAR - 370_000_000),
        ("2026-11-23T09:51:34.2500000Z", NEAR - 370_000_000),
        (1_795_427_494_250, NEAR - 370_000_000),
        (1_795_427_494_250_000, NEAR - 370_000_000),
        (1_795_427_494_250_000_000, NEAR - 370_000_000),
        (1_795_427_490, NEAR - 4_620_000_000),
    ],
)
def test_a_time_in_any_unit(value: Any, expected: int) -> None:
    """ISO 8601 with its offset (powertools with a comma, .NET with seven digits), or a number."""
    assert read_time(value, NEAR) == expected


def test_seconds_may_have_parts() -> None:
    """Loggers of Go write them so; a double knows them to a microsecond."""
    assert abs(read_time(1_795_427_494.25, NEAR) - (NEAR - 370_000_000)) < 1_000


@pytest.mark.parametrize(
    "value",
    [
        *("", "yesterday", "2026-11-23 09:51:34", "2030-01-01T00:00:00Z", "1999-01-01T00:00:00Z"),
        *(0, 12, -1, 2**70, 1e300, float("inf"), float("nan"), True, None, [], {}),
    ],
)
def test_what_cannot_be_the_time_of_the_line_is_none(value: Any) -> None:
    """No offset, no time, or far from when Lambda read the line: a date that the line is about."""
    assert read_time(value, NEAR) == 0


def test_whole_seconds_give_way_to_a_time_that_knows_more() -> None:
    """AWS's Python runtime tells whole seconds in JSON: before the start of the invocation."""
    assert read_time("2026-11-23T09:51:34Z", NEAR) == NEAR
    assert read_time("2026-11-23T09:51:33Z", NEAR) == NEAR - 1_620_000_000


@LAW
@given(json_values, st.integers(min_value=0, max_value=2**62))
def test_a_time_is_none_or_near(value: Any, near: int) -> None:
    """So that one line cannot make a collector refuse all."""
    found = read_time(value, near)
    assert found == 0 or abs(found - near) <= MAX_AGE_NANO


@LAW
@given(st.integers(min_value=-MAX_AGE_NANO // S, max_value=MAX_AGE_NANO // S))
def test_iso_and_number_agree(age_s: int) -> None:
    """Both forms tell the same time."""
    moment = datetime.fromtimestamp(NEAR // S + age_s, UTC)
    seconds = int(moment.timestamp())
    if abs(seconds * S - NEAR) <= MAX_AGE_NANO:
        assert read_time(moment.isoformat(), NEAR) == read_time(seconds, NEAR)


@pytest.mark.parametrize("value", [TRACE, TRACE.upper(), "1-5f35ae12-0c0fec141ab77a00bc047aa2"])
def test_a_trace_id_is_w3c_or_xray(value: str) -> None:
    """Both are the same 16 bytes."""
    assert read_trace_id(value) == bytes.fromhex(TRACE)


@pytest.mark.parametrize(
    "value",
    [
        *("", TRACE[:-1], TRACE + "0", "0" * 32, "g" * 32, " " * 32, f"2-{TRACE[:8]}-{TRACE[8:]}"),
        *(f"1-{TRACE[:7]}-{TRACE[7:]}", "1-", 17, None, [TRACE]),
    ],
)
def test_anything_else_is_no_trace_id(value: Any) -> None:
    """Zeros neither: by the specification they mean that there is none."""
    assert read_trace_id(value) == b""


def test_a_span_id_is_16_hex_digits() -> None:
    """Zeros are none."""
    assert read_span_id("2be948a625588e32") == bytes.fromhex("2be948a625588e32")
    for value in ("", "0" * 16, "2be948a625588e3", "2be948a625588e 2", 5, None):
        assert read_span_id(value) == b""


@LAW
@given(json_values | st.text("0123456789abcdefABCDEF-1 ", max_size=40))
def test_any_value_is_an_id_or_none(value: Any) -> None:
    """Of the right length, or not at all."""
    assert len(read_trace_id(value)) in (0, 16)
    assert len(read_span_id(value)) in (0, 8)
