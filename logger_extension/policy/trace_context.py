"""Trace and span ids of an invocation.

Ids are derived, not drawn: from the X-Ray header where there is one, else from the request id (a
random UUID). So a restarted process, a batch delivered twice and the log lines of an invocation all
come to the same ids without sharing state. X-Ray's `Root=1-<8 hex>-<24 hex>` is the W3C trace id
without the `1-` and the dash
(https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html).
"""

from hashlib import blake2b
from string import hexdigits
from typing import NamedTuple

NO_PARENT = b""
TRACE_ID_HEX = 32
SPAN_ID_HEX = 16


class TraceContext(NamedTuple):
    """The ids of one invocation's SERVER span.

    Attributes:
        trace_id: 16 bytes.
        span_id: 8 bytes.
        parent_span_id: 8 bytes, or none when the invocation has no parent.
        trace_header: the header that they came from, empty if there was none.
        sampled: the caller's decision (`Sampled` in the header), None if there was none.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes = NO_PARENT
    trace_header: str = ""
    sampled: bool | None = None


def derive_context(request_id: str, trace_header: str) -> TraceContext:
    """Return the ids of an invocation.

    A header without `Parent` keeps its `Root`; one that cannot be read is as good as none.
    """
    fields = dict(part.strip().partition("=")[::2] for part in trace_header.split(";"))
    version, _, root = fields.get("Root", "").partition("-")
    trace_hex = root.replace("-", "") if version == "1" else ""
    span_id = derive_span_id(request_id, "invocation")
    if not _is_id(trace_hex, TRACE_ID_HEX):
        trace_id = blake2b(request_id.encode("utf-8", "replace"), digest_size=16).digest()
        return TraceContext(trace_id, span_id)
    parent_hex = fields.get("Parent", "")
    parent = bytes.fromhex(parent_hex) if _is_id(parent_hex, SPAN_ID_HEX) else NO_PARENT
    sampled = {"1": True, "0": False}.get(fields.get("Sampled", ""))
    return TraceContext(bytes.fromhex(trace_hex), span_id, parent, trace_header, sampled)


def derive_span_id(request_id: str, name: str) -> bytes:
    """Return the id of an invocation's span by its name."""
    source = f"{name}\0{request_id}".encode("utf-8", "replace")
    return blake2b(source, digest_size=8).digest()


def _is_id(text: str, length: int) -> bool:
    return len(text) == length and all(c in hexdigits for c in text) and text.strip("0") != ""
