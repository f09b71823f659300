"""Function log lines as OTLP log records."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logger_extension import __version__
from logger_extension.events import FunctionLog
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.redaction import Redactor
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.logs import (
    RECORD_OVERHEAD_BYTES,
    LogLine,
    encode_logs,
    measure,
    request_id_of,
)
from tests.support.extension import read_logs
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_objects

TIME = 1_795_427_494_620_000_000
OBSERVED = TIME + 30_000_000
OTHER_ID = "00000000-0000-4000-8000-000000000001"
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"


def _encode(
    record: str | dict[str, Any], invocation: Invocation | None = None, time: int = TIME
) -> LogRecord:
    line = LogLine(FunctionLog(record), time, OBSERVED, invocation)
    (only,) = read_logs(encode_logs({}, [line]))
    return only


def _attributes(record: LogRecord) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in record.attributes}


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("hello\n", "hello"),
        ("hello", "hello"),
        ("two\nlines\n", "two\nlines"),
        ("a blank line follows\n\n", "a blank line follows\n"),
        ("\n", ""),
        ("", ""),
        ("{not json}\n", "{not json}"),
        ('{"torn": ', '{"torn": '),
        ('{"n": NaN}', '{"n": NaN}'),
        ('["a", "list"]', '["a", "list"]'),
        ("nul\x00 and \u2028", "nul\x00 and \u2028"),
    ],
)
def test_a_text_line_is_the_body_without_its_newline(text: str, body: str) -> None:
    """One newline is the line's end; everything else is the line."""
    record = _encode(text)
    assert record.body.string_value == body
    assert record.severity_number == 0
    assert record.time_unix_nano == TIME
    assert record.observed_time_unix_nano == OBSERVED


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
def test_a_json_line_becomes_body_severity_and_attributes(*, as_text: bool) -> None:
    """The same record whether Lambda parsed the line or not."""
    fields = {
        "timestamp": "2026-11-23T09:51:30.000Z",
        "level": "WARNING",
        "requestId": "r",
        "message": "stock is low",
        "sku": "A-1",
    }
    record = _encode(json.dumps(fields) + "\n" if as_text else fields)
    assert record.body.string_value == "stock is low"
    assert record.severity_text == "WARNING"
    assert record.severity_number == 13
    assert record.time_unix_nano == 1_795_427_490_000_000_000
    assert _attributes(record) == {"requestId": "r", "sku": "A-1"}
    record = _encode(fields, Invocation("r", derive_context("r", "")))
    assert _attributes(record) == {"sku": "A-1", "faas.invocation_id": "r"}


@pytest.mark.parametrize(
    ("level", "number"),
    [
        ("TRACE", 1),
        ("debug", 5),
        ("Info", 9),
        ("INFORMATION", 9),
        ("notice", 10),
        ("WARN", 13),
        ("warning", 13),
        ("ERROR", 17),
        ("CRITICAL", 21),
        ("FATAL", 21),
    ],
)
def test_levels_have_the_numbers_of_the_data_model(level: str, number: int) -> None:
    """In any case; the text stays as the logger wrote it."""
    record = _encode({"level": level, "message": "x"})
    assert (record.severity_number, record.severity_text) == (number, level)
    assert "level" not in _attributes(record)


@pytest.mark.parametrize("level", ["loud", "", 5, 70, True, 30.5, None, ["INFO"]])
def test_an_unknown_level_stays_an_attribute(level: Any) -> None:
    """What has no number is not lost."""
    record = _encode({"level": level, "message": "x"})
    assert record.severity_number == 0
    assert [pair.key for pair in record.attributes] == ["level"]


@pytest.mark.parametrize("timestamp", ["yesterday", 12, None, "2026-11-23 09:51:30"])
def test_an_unreadable_timestamp_stays_an_attribute(timestamp: Any) -> None:
    """The time is then Lambda's, and what the line said is not lost."""
    record = _encode({"timestamp": timestamp, "message": "x"})
    assert record.time_unix_nano == TIME
    assert [pair.key for pair in record.attributes] == ["timestamp"]


@pytest.mark.parametrize(
    "fields", [{"event": "paid", "amount": 12}, {"level": "INFO", "amount": 12}, {}]
)
def test_an_object_without_a_message_is_the_body_as_a_whole(fields: dict[str, Any]) -> None:
    """No field of it gets lost."""
    record = _encode(fields)
    assert {pair.key for pair in record.body.kvlist_value.values} == set(fields)


@pytest.mark.parametrize(
    ("message", "kind"),
    [("text", "string_value"), (5, "int_value"), ({"a": 1}, "kvlist_value"), (None, None)],
)
def test_a_message_of_any_kind_is_the_body(message: Any, kind: str | None) -> None:
    """Loggers put objects into `message` too."""
    assert _encode({"message": message}).body.WhichOneof("value") == kind


def test_a_line_of_an_invocation_carries_its_ids() -> None:
    """Trace, span and request id are those of the invocation's span."""
    context = derive_context("r", HEADER)
    record = _encode("x", Invocation("r", context))
    assert record.trace_id == context.trace_id
    assert record.span_id == context.span_id
    assert _attributes(record) == {"faas.invocation_id": "r"}


def test_a_line_outside_any_invocation_has_no_ids() -> None:
    """Lines of init belong to no request."""
    record = _encode("x")
    assert (record.trace_id, record.span_id, list(record.attributes)) == (b"", b"", [])


def test_a_sampled_out_invocation_leaves_the_flag_out() -> None:
    """Its span is not exported, so the line must not say that it is."""
    invocation = Invocation("r", derive_context("r", HEADER), is_sampled=False)
    assert _encode("x", invocation).flags == 0
    assert _encode("x", Invocation("r", derive_context("r", HEADER))).flags == 1


def test_a_line_with_a_trace_of_its_own() -> None:
    """It is not put into the invocation's trace, nor given a span that is not there."""
    context = derive_context("r", HEADER)
    own = "0af7651916cd43dd8448eb211c80319c"
    record = _encode({"message": "x", "trace_id": own}, Invocation("r", context))
    assert (record.trace_id.hex(), record.span_id, record.flags) == (own, b"", 0)
    fields = {"message": "x", "trace_id": own, "span_id": "b7ad6b7169203331"}
    assert _encode(fields, Invocation("r", context)).span_id.hex() == "b7ad6b7169203331"
    assert _encode(fields).trace_id.hex() == own


def test_a_line_with_the_trace_of_its_invocation() -> None:
    """As powertools tells it: the span is the invocation's, unless the line knows better."""
    context = derive_context("r", HEADER)
    fields = {"message": "x", "xray_trace_id": "1-5f35ae12-0c0fec141ab77a00bc047aa2"}
    record = _encode(fields, Invocation("r", context))
    assert (record.trace_id, record.span_id, record.flags) == (context.trace_id, context.span_id, 1)
    record = _encode({**fields, "span_id": "b7ad6b7169203331"}, Invocation("r", context))
    assert (record.span_id.hex(), record.flags) == ("b7ad6b7169203331", 1)


def test_a_line_of_another_request() -> None:
    """The runtime's prefix names it: neither trace nor id of the current invocation are its own."""
    line = f"[INFO]\t2026-11-23T09:51:34.620Z\t{OTHER_ID}\tlate"
    record = _encode(line, Invocation("r", derive_context("r", HEADER)))
    assert (record.trace_id, record.span_id, record.flags) == (b"", b"", 0)
    assert _attributes(record) == {"faas.invocation_id": OTHER_ID}


def test_lines_of_several_invocations_in_turn() -> None:
    """On Managed Instances: each keeps its own ids."""
    both = [Invocation(name, derive_context(name, "")) for name in ("a", "b")]
    printed: list[str | dict[str, Any]] = ["x", {"message": "y", "k": 1}] * 2
    lines = [
        LogLine(FunctionLog(record), TIME, OBSERVED + n // 2, both[n % 2])
        for n, record in enumerate(printed)
    ]
    records = read_logs(encode_logs({}, lines))
    assert [_attributes(record)["faas.invocation_id"] for record in records] == ["a", "b"] * 2
    assert [record.trace_id for record in records] == [b.context.trace_id for b in both] * 2
    assert [record.observed_time_unix_nano - OBSERVED for record in records] == [0, 0, 1, 1]


def test_redaction_sees_all_that_leaves() -> None:
    """Body and attributes, after they are read: no escape of JSON can hide what is there."""
    redactor = Redactor.build(["email"])
    lines = [
        LogLine(FunctionLog(record), TIME, OBSERVED, None)
        for record in (
            "from a@b.cd\n",
            '{"message": "a\\u0040b.cd", "to": ["a@b.cd"]}',
            {"no": {"message": "a@b.cd"}},
            "a@b.cd\nTraceback (most recent call last):\n  File x\nValueError: a@b.cd",
        )
    ]
    body = encode_logs({}, lines, redact=redactor.redact)
    assert b"a@b.cd" not in body
    assert body.count(b"[REDACTED:email]") == 8


def test_a_long_line_is_cut_where_asked() -> None:
    """After it is read and redacted, so that neither a level nor half of a secret gets lost."""
    lines = [
        LogLine(FunctionLog(record), TIME, OBSERVED, None)
        for record in ("x" * 100, {"level": "WARN", "message": "y" * 100, "a": 1, "b": 2}, "short")
    ]
    long, fields, short = read_logs(encode_logs({}, lines, max_bytes=50))
    assert long.body.string_value == "x" * 50 + "[truncated: 50 bytes more]"
    assert fields.severity_number == 13
    assert fields.dropped_attributes_count == 2
    assert short.body.string_value == "short"
    assert (short.dropped_attributes_count, list(short.attributes)) == (0, [])


def test_attribute_keys_are_unique() -> None:
    """A line that has our own key itself does not make the record invalid."""
    fields = {"message": "x", "faas.invocation_id": "theirs"}
    record = _encode(fields, Invocation("ours", derive_context("ours", "")))
    assert [pair.key for pair in record.attributes] == ["faas.invocation_id"]


def test_a_line_without_a_time_has_only_the_observed_one() -> None:
    """An unknown time is absent, not 1970."""
    record = _encode("x", time=0)
    assert (record.time_unix_nano, record.observed_time_unix_nano) == (0, OBSERVED)


def test_the_request_holds_resource_and_scope_once() -> None:
    """One resource and one scope for all lines, in their order."""
    lines = [LogLine(FunctionLog(str(n)), TIME, OBSERVED, None) for n in range(3)]
    request = ExportLogsServiceRequest.FromString(encode_logs({"service.name": "shop"}, lines))
    (resource_logs,) = request.resource_logs
    (scope_logs,) = resource_logs.scope_logs
    assert [a.key for a in resource_logs.resource.attributes] == ["service.name"]
    assert (scope_logs.scope.name, scope_logs.scope.version) == ("logger_extension", __version__)
    assert [record.body.string_value for record in scope_logs.log_records] == ["0", "1", "2"]


def test_a_line_of_a_mebibyte_is_whole() -> None:
    """The largest line that Lambda passes on."""
    text = "x" * 1024 * 1024
    assert _encode(text).body.string_value == text


@LAW
@given(st.text() | json_objects | json_objects.map(json.dumps))
def test_every_line_becomes_one_record(record: str | dict[str, Any]) -> None:
    """Whatever a function prints."""
    assert _encode(record).observed_time_unix_nano == OBSERVED


@LAW
@given(st.text())
def test_a_line_counts_its_bytes(text: str) -> None:
    """The queue's bound is in bytes, so a line counts what it takes on the wire."""
    assert measure(FunctionLog(text)) == len(text.encode()) + RECORD_OVERHEAD_BYTES


@LAW
@given(json_objects)
def test_an_object_counts_its_bytes_as_json(fields: dict[str, Any]) -> None:
    """The same for lines that Lambda parsed."""
    least = len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
    assert measure(FunctionLog(fields)) >= least + RECORD_OVERHEAD_BYTES - 40


@pytest.mark.parametrize(
    ("record", "request_id"),
    [
        ({"requestId": "a"}, "a"),
        ({"AWSRequestId": "b"}, "b"),
        ({"requestId": "", "AWSRequestId": "b"}, "b"),
        ({"requestId": 5}, ""),
        ({}, ""),
        ("requestId: a", ""),
    ],
)
def test_a_json_line_may_name_its_request(record: str | dict[str, Any], request_id: str) -> None:
    """Lambda's own JSON loggers do, under one of two names."""
    assert request_id_of(FunctionLog(record)) == request_id
