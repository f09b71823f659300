"""What the tables' columns mean to the pages, as parts of SQL.

One place for what a function, an invocation, an error or a line's text is, so that all pages agree;
tests hold the list to what the cost report finds. Must not know which page asks.
"""

REQUEST_ID = "SpanAttributes['faas.invocation_id']"
# Older collectors wrote the names of OTLP's enums.
IS_INVOCATION = f"SpanKind IN ('Server', 'SPAN_KIND_SERVER') AND {REQUEST_ID} <> ''"
IS_FAILED = "StatusCode IN ('Error', 'STATUS_CODE_ERROR')"
IS_COLD = "coalesce(SpanAttributes['faas.coldstart'], '') = 'true'"

SPAN_FUNCTION = "coalesce(nullif(ResourceAttributes['faas.name'], ''), SpanName)"
FUNCTION = "coalesce(nullif(ResourceAttributes['faas.name'], ''), ServiceName)"

LINE_REQUEST_ID = "LogAttributes['faas.invocation_id']"
IS_ERROR_LINE = "SeverityNumber >= 17"
LINE_HAS_TEXT = """(contains(lower(Body), lower($q))
  OR contains(lower(LogAttributes::VARCHAR), lower($q)))"""
# A line has no id of its own: its time and this name it.
LINE_IDENTITY = """substr(md5(concat_ws(chr(31), TraceId, SpanId, SeverityText, Body,
  LogAttributes::VARCHAR)), 1, 16)"""
# More of a line than a list ever shows of it.
MAX_LIST_CHARS = 2_000
_EXCEPTION = """coalesce(nullif(LogAttributes['exception.stacktrace'], ''), concat_ws(': ',
  LogAttributes['exception.type'], LogAttributes['exception.message']))"""


def _lines(text: str) -> str:
    """Return text with newlines alone: Lambda's Python runtime writes stack traces with others."""
    return f"replace({text}, chr(13), chr(10))"


# The fields of a `LineRow`; an exception that the body tells of stands there alone.
LINE = f"""epoch_ns(Timestamp) AS time_unix_nano, {LINE_IDENTITY} AS identity,
  printf('%x', rowid) AS place, left(TraceId, 64) AS trace_id,
  left(SpanId, 64) AS span_id,
  SeverityNumber AS severity_number, SeverityText AS severity_text, {FUNCTION} AS function,
  coalesce({LINE_REQUEST_ID}, '') AS request_id, left(Body, {MAX_LIST_CHARS}) AS body,
  length(Body) AS body_chars,
  CASE WHEN contains({_lines("Body")}, left({_lines(_EXCEPTION)}, 200)) THEN ''
    ELSE left({_EXCEPTION}, {MAX_LIST_CHARS}) END AS exception"""
