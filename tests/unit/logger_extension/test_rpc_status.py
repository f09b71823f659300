"""`google.rpc.Status`: Google's own classes as oracle."""

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]  # it has no stubs
    ErrorInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no stubs
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.rpc_status import find_retry_info, read_message, read_retry_delay_ms
from tests.support.laws import LAW

MAX_SECONDS = 315_576_000_000  # Duration's own limit, 10,000 years


@LAW
@given(
    st.integers(0, 16),
    st.text(),
    st.integers(-MAX_SECONDS, MAX_SECONDS),
    st.integers(-999_999_999, 999_999_999),
)
def test_what_google_writes_is_read(code: int, message: str, seconds: int, nanos: int) -> None:
    """Message and pause come back; a negative pause is none."""
    info = RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos))
    status = Status(code=code, message=message)
    status.details.add().Pack(ErrorInfo(reason="QUOTA"))
    status.details.add().Pack(info)
    serialized = status.SerializeToString()
    assert read_message(serialized) == message
    assert find_retry_info(serialized) == info.SerializeToString()
    is_negative = seconds < 0 or nanos < 0
    expected = 0 if is_negative else seconds * 1_000 + nanos // 1_000_000
    assert read_retry_delay_ms(info.SerializeToString()) == expected


def test_a_status_without_details() -> None:
    """There is no RetryInfo, which is not the same as one without a pause."""
    status = Status(code=8, message="no room")
    assert find_retry_info(status.SerializeToString()) is None
    status.details.add().Pack(RetryInfo())
    assert find_retry_info(status.SerializeToString()) == b""
    assert read_retry_delay_ms(b"") == 0


@LAW
@given(st.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    """Rubbish says nothing, and never raises."""
    assert isinstance(read_message(data), str)
    assert read_retry_delay_ms(data) >= 0
    find_retry_info(data)
