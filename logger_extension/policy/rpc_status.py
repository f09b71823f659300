"""`google.rpc.Status`: the words and the pause that a collector sends with an error.

Owns the reading of `Status` and `RetryInfo`
(https://github.com/googleapis/googleapis/tree/master/google/rpc, status.proto and
error_details.proto). Their classes are in a package of which nothing else is needed, so protobuf's
own parser is asked for the fields of a message that it does not know:

    Status     1 code, 2 message, 3 details: Any*
    Any        1 type_url, 2 value
    RetryInfo  1 retry_delay: Duration (1 seconds, 2 nanos)

Must not know which status may be tried again.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

RETRY_INFO = "/google.rpc.RetryInfo"
MAX_INT64 = 2**63 - 1
MS_PER_S, NS_PER_MS = 1_000, 1_000_000


def read_message(status: bytes) -> str:
    """Return the words of a serialized `Status`, empty where it has none or is none."""
    for number, value in _read_fields(status):
        if number == 2 and isinstance(value, bytes):  # noqa: PLR2004  (see the head)
            return value.decode("utf-8", "replace")
    return ""


def find_retry_info(status: bytes) -> bytes | None:
    """Return the serialized `RetryInfo` among the details of a `Status`, None without one."""
    for number, detail in _read_fields(status):
        if number == 3:  # noqa: PLR2004  (see the head)
            fields = dict(_read_fields(detail))
            type_url = fields.get(1, b"")
            if isinstance(type_url, bytes) and type_url.endswith(RETRY_INFO.encode()):
                return _as_bytes(fields.get(2))
    return None


def read_retry_delay_ms(retry_info: bytes) -> int:
    """Return the pause that a serialized `RetryInfo` asks for; 0 when it names none."""
    duration = dict(_read_fields(_as_bytes(dict(_read_fields(retry_info)).get(1))))
    seconds, nanos = duration.get(1, 0), duration.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return 0
    if max(seconds, nanos) > MAX_INT64:  # negative, as varints have it
        return 0
    return seconds * MS_PER_S + nanos // NS_PER_MS


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""


def _read_fields(message: Any) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field: int, or bytes where the field has a length."""
    try:
        unknown = UnknownFieldSet(Empty.FromString(_as_bytes(message)))
    except ProtobufDecodeError:
        return
    for field in unknown:  # type: ignore[attr-defined]  # missing in the stubs
        yield field.field_number, field.data
