"""Arithmetic and answers of one invocation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_sandbox.invocation import (
    Invocation,
    billed_ms,
    error_payload,
    milliseconds,
    timeout_message,
)


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed"),
    [
        (1233.96, 463.512, 1698),  # a real cold start after 2025-08-01
        (329.177, None, 330),
        (12455.155, None, 12456),
        (3000.0, None, 3000),
        (0.1 + 0.2, 0.7, 1),
    ],
)
def test_billed_duration(duration_ms: float, init_ms: float | None, billed: int) -> None:
    """Whole milliseconds, rounded up, with the init of a cold start."""
    assert billed_ms(duration_ms, init_ms) == billed


@given(st.floats(0, 1e6), st.none() | st.floats(0, 1e5))
def test_billing_never_undercuts(duration_ms: float, init_ms: float | None) -> None:
    """Billed is never less than measured, and less than a millisecond more."""
    measured = round(duration_ms + (init_ms or 0), 3)
    assert measured <= billed_ms(duration_ms, init_ms) < measured + 1 + 1e-9


@given(st.floats(-1, 1e5))
def test_milliseconds(seconds: float) -> None:
    """Three decimals at most, never negative."""
    value = milliseconds(seconds)
    assert value >= 0
    assert math.isclose(value, round(value, 3))


def test_texts() -> None:
    """The texts are Lambda's own."""
    assert timeout_message(2_000) == "Task timed out after 2.00 seconds"
    assert error_payload("A.B", "c") == b'{"errorType":"A.B","errorMessage":"c"}'


async def test_the_first_answer_stands() -> None:
    """A caller is answered once; a timeout after the response changes nothing."""
    invocation = Invocation("r", b"", called=1.0, timeout_ms=100)
    assert invocation.resolve("success", b"ok", None, 1.25)
    assert not invocation.resolve("timeout", b"late", "Sandbox.Timedout", 2.0)
    result = await invocation.answer
    assert (result.status, result.payload, result.response_ms) == ("success", b"ok", 250.0)


async def test_deadline() -> None:
    """The deadline is the start plus the timeout, in whole epoch milliseconds."""
    invocation = Invocation("r", b"", called=1.0, timeout_ms=100)
    invocation.begin(2.0, 1_000)
    assert invocation.deadline_ms == 1_100
    assert invocation.handler_ms(2.5) == 500.0
