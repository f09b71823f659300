"""Rows of the web view with everything filled in, so that a test names only what it is about."""

from typing import Any

from tests.support.viewer_rows import REQUEST_ID, START_UNIX_NANO, TRACE_ID
from web_view.rows import InvocationRow, LineRow


def make_line(**changes: Any) -> LineRow:
    """Return a log line of the invocation REQUEST_ID."""
    values: dict[str, Any] = {
        "time_unix_nano": START_UNIX_NANO,
        "identity": "0123456789abcdef",
        "place": "0",
        "trace_id": TRACE_ID,
        "span_id": "aa" * 8,
        "severity_number": 9,
        "severity_text": "INFO",
        "function": "sandbox-function",
        "request_id": REQUEST_ID,
        "body": "hello",
        "body_chars": 5,
        "exception": "",
    }
    return LineRow(**(values | changes))


def make_row(**changes: Any) -> InvocationRow:
    """Return a warm invocation of 100 ms, of which Lambda has not told more yet."""
    values: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "trace_id": TRACE_ID,
        "span_id": "aa" * 8,
        "function": "sandbox-function",
        "version": "$LATEST",
        "alias": "",
        "region": "eu-west-1",
        "architecture": "arm64",
        "instance": "2023/11/14/[$LATEST]0",
        "memory_size_mb": 512,
        "start_unix_nano": START_UNIX_NANO,
        "duration_ms": 100.0,
        "is_cold_start": False,
        "status": "ok",
        "error_type": "",
        "billed_ms": None,
        "max_memory_used_mb": None,
        "init_ms": None,
        "extension_ms": None,
        "cost_usd": None,
        "handler_usd": None,
        "init_usd": None,
        "extension_usd": None,
        "missing_reason": "",
    }
    return InvocationRow(**(values | changes))
