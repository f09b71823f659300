"""Requests as lines of text: OTLP/JSON, one request a line.

The form that the collector's file exporter writes and its file receiver reads
(https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/). Owns the length of a line. Must
not know where lines are written.
"""

from collections.abc import Iterator
from typing import NamedTuple

from logger_extension.errors import ProtocolError
from logger_extension.signals.otlp_json import encode_json
from logger_extension.signals.requests import count_items, parse, parse_json
from logger_extension.signals.splitting import split_request

# CloudWatch cuts events above 256 KB (quotas of CloudWatch Logs); the rest is for what is put
# around a line on its way.
MAX_LINE_BYTES = 200_000

# Log records grow by 2.2 from protobuf to JSON. Text that JSON must escape grows more, and is then
# cut once more.
USUAL_GROWTH = 3

SIGNALS_BY_KEY = {
    b'{"resourceLogs":': "logs",
    b'{"resourceSpans":': "traces",
    b'{"resourceMetrics":': "metrics",
}


class Line(NamedTuple):
    """One request as text without a line feed, and how many items it holds."""

    text: bytes
    items: int


def encode_lines(signal: str, body: bytes, max_bytes: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """Yield a serialized request as lines, made one by one.

    No line is longer than `max_bytes`, unless it holds a single item that is. A request without
    items has no line.

    Raises:
        ProtocolError: the bytes are no request of this signal.
    """
    for part in split_request(signal, body, max_bytes // USUAL_GROWTH):
        yield from _encode_part(signal, part, max_bytes)


def read_line(line: bytes) -> tuple[str, bytes]:
    """Return the signal of a line and its request, serialized.

    Raises:
        ProtocolError: it is no request in OTLP/JSON.
    """
    for key, signal in SIGNALS_BY_KEY.items():
        if line.startswith(key):
            return signal, parse_json(signal, line)
    raise ProtocolError("the line does not begin as a request in OTLP/JSON")


def _encode_part(signal: str, part: bytes, max_bytes: int) -> Iterator[Line]:
    request = parse(signal, part)
    items = count_items(signal, request)
    if not items:
        return
    text = encode_json(request)
    if len(text) <= max_bytes or items == 1:
        yield Line(text, items)
        return
    for smaller in split_request(signal, part, len(part) // 2):
        yield from _encode_part(signal, smaller, max_bytes)
