"""From a Telemetry API body to OTLP bytes: what the extension does, and two ways beside it.

`bare` is the least that protobuf in Python can do: orjson.loads, then `.add()` and one assignment a
field, by code that knows these very records (it reads no time, looks for no level, and takes no
line for anything else than it is). `sdk` emits the lines through a logger of the OpenTelemetry SDK,
with a processor that only keeps them, and encodes them with its exporter's encoder. All three come
to the same records, which `check` holds. `ours` is decode, map and encode as the extension does
them, redaction and rules off; what invocation a line belongs to is given, as it is to the others.
"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as sdk_encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import (
    LoggerProvider,
    LogRecordProcessor,
    ReadableLogRecord,
    ReadWriteLogRecord,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import TraceFlags

from logger_extension import __version__
from logger_extension.events import FunctionLog
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.logs import LogLine, encode_logs
from logger_extension.telemetry import decode

REQUEST_ID = "b397bf4c-7424-4baa-b7e2-ab6e11d76a35"
INVOCATION = Invocation(
    REQUEST_ID,
    derive_context(
        REQUEST_ID, "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
    ),
)
TIME_UNIX_NANO = 1_795_427_494_000_000_000
OBSERVED_UNIX_NANO = TIME_UNIX_NANO + 400_000_000
MS, S = 1_000_000, 1_000_000_000
# A handler that logs a thousand lines logs several in a millisecond.
LINES_PER_MS = 3
RESOURCE: dict[str, str | int] = {
    "service.name": "checkout",
    "cloud.provider": "aws",
    "cloud.platform": "aws_lambda",
    "cloud.region": "eu-west-1",
    "cloud.account.id": "123456789012",
    "faas.name": "checkout",
    "faas.version": "$LATEST",
    "faas.max_memory": 134_217_728,
}
WORDS = [
    *("order", "payment", "customer", "stock", "price", "basket", "received", "checked", "failed"),
    *("retry", "for", "the", "with", "of", "in", "invoice", "1299", "region", "user", "session"),
]
HEAD = frozenset({"timestamp", "level", "requestId", "message"})
Row = tuple[int, str, dict[str, Any]]


def make_rows(second: int, count: int, *, is_json: bool) -> list[Row]:
    """Return the time, message and attributes of lines: 12 to 24 words, no or 3 or 8 attributes.

    Every second has other lines: what a cache keeps of one round is of no use in the next.
    """
    chosen = random.Random(second)  # noqa: S311  (the same lines in every run)
    return [
        (
            TIME_UNIX_NANO + second * S + number // LINES_PER_MS * MS,
            " ".join(chosen.choices(WORDS, k=chosen.randint(12, 24))),
            make_attributes(number) if is_json else {},
        )
        for number in range(count)
    ]


def make_attributes(number: int) -> dict[str, Any]:
    """Return three attributes for every other line, eight for the rest."""
    few = {"logger": "shop.orders", "order": number, "sku": f"A-{number}"}
    many = {"amount": number / 4, "customer": f"c-{number:04x}", "area": "eu", "retried": False}
    return {**few, **many, "total": number * 3} if number % 2 else few


def make_body(rows: list[Row], *, is_json: bool) -> bytes:
    """Return the body that Lambda posts of these lines: text, or Lambda's JSON format."""
    items = []
    for time_unix_nano, message, attributes in rows:
        moment = datetime.fromtimestamp(time_unix_nano / S, UTC).isoformat(timespec="milliseconds")
        moment = moment.replace("+00:00", "Z")
        record: Any = message + "\n"
        if is_json:
            head = {"timestamp": moment, "level": "INFO", "requestId": REQUEST_ID}
            record = {**head, "message": message, **attributes}
        items.append({"time": moment, "type": "function", "record": record})
    return json.dumps(items).encode()


def decode_ours(body: bytes) -> list[LogLine]:
    """Read the lines of a body as the extension does."""
    return [
        LogLine(log, event.time_unix_nano, OBSERVED_UNIX_NANO, INVOCATION)
        for event in decode(body).events
        if isinstance(log := event.record, FunctionLog)
    ]


def encode_ours(body: bytes, _rows: list[Row]) -> bytes:
    """Do what the extension does."""
    return encode_logs(RESOURCE, decode_ours(body))


def encode_bare(body: bytes, rows: list[Row]) -> bytes:
    """Do the least: one assignment a field, times given."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    for key, value in RESOURCE.items():
        pair = resource_logs.resource.attributes.add()
        pair.key = key
        if isinstance(value, str):
            pair.value.string_value = value
        else:
            pair.value.int_value = value
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = "logger_extension"
    scope_logs.scope.version = __version__
    context = INVOCATION.context
    for item, row in zip(orjson.loads(body), rows, strict=True):
        record = scope_logs.log_records.add()
        record.time_unix_nano = row[0]
        record.observed_time_unix_nano = OBSERVED_UNIX_NANO
        record.trace_id = context.trace_id
        record.span_id = context.span_id
        record.flags = 1
        line = item["record"]
        if isinstance(line, str):
            record.body.string_value = line[:-1]
        else:
            add_bare_fields(record, line)
        pair = record.attributes.add()
        pair.key = "faas.invocation_id"
        pair.value.string_value = REQUEST_ID
    return request.SerializeToString()


def add_bare_fields(record: Any, line: dict[str, Any]) -> None:
    """Write the fields that these lines are known to have."""
    record.severity_number = 9
    record.severity_text = line["level"]
    record.body.string_value = line["message"]
    attributes = record.attributes
    pair = attributes.add()
    pair.key = "logger"
    pair.value.string_value = line["logger"]
    pair = attributes.add()
    pair.key = "order"
    pair.value.int_value = line["order"]
    pair = attributes.add()
    pair.key = "sku"
    pair.value.string_value = line["sku"]
    if "amount" in line:
        pair = attributes.add()
        pair.key = "amount"
        pair.value.double_value = line["amount"]
        pair = attributes.add()
        pair.key = "customer"
        pair.value.string_value = line["customer"]
        pair = attributes.add()
        pair.key = "area"
        pair.value.string_value = line["area"]
        pair = attributes.add()
        pair.key = "retried"
        pair.value.bool_value = line["retried"]
        pair = attributes.add()
        pair.key = "total"
        pair.value.int_value = line["total"]


class Keeper(LogRecordProcessor):
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.kept: list[ReadableLogRecord] = []

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Keep a record, as the SDK's batch processor does."""
        self.kept.append(
            ReadableLogRecord(
                log_record=log_record.log_record,
                resource=log_record.resource or SDK_RESOURCE,
                instrumentation_scope=log_record.instrumentation_scope,
                limits=log_record.limits,
            )
        )

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing."""
        del timeout_millis
        return True


SDK_RESOURCE = Resource(RESOURCE)
KEEPER = Keeper()
PROVIDER = LoggerProvider(SDK_RESOURCE, shutdown_on_exit=False)
PROVIDER.add_log_record_processor(KEEPER)
SDK_LOGGER = PROVIDER.get_logger("logger_extension", __version__)
SDK_IDS: dict[str, Any] = {
    "trace_id": int.from_bytes(INVOCATION.context.trace_id, "big"),
    "span_id": int.from_bytes(INVOCATION.context.span_id, "big"),
    "trace_flags": TraceFlags(TraceFlags.SAMPLED),
}


def encode_sdk(body: bytes, rows: list[Row]) -> bytes:
    """Emit through the SDK and encode with its exporter's encoder, times given."""
    KEEPER.kept = []
    for item, row in zip(orjson.loads(body), rows, strict=True):
        line = item["record"]
        fields: dict[str, Any]
        if isinstance(line, str):
            fields = {"body": line[:-1], "attributes": {}}
        else:
            attributes = {name: value for name, value in line.items() if name not in HEAD}
            fields = {
                "severity_number": SeverityNumber.INFO,
                "severity_text": line["level"],
                "body": line["message"],
                "attributes": attributes,
            }
        fields["attributes"]["faas.invocation_id"] = REQUEST_ID
        SDK_LOGGER.emit(
            LogRecord(timestamp=row[0], observed_timestamp=OBSERVED_UNIX_NANO, **SDK_IDS, **fields)
        )
    return sdk_encode_logs(KEEPER.kept).SerializeToString()


WAYS: dict[str, Callable[[bytes, list[Row]], bytes]] = {
    "ours": encode_ours,
    "bare": encode_bare,
    "sdk": encode_sdk,
}


def check(results: Mapping[str, bytes]) -> None:
    """Stop unless all ways come to the same records."""
    messages = {name: ExportLogsServiceRequest.FromString(body) for name, body in results.items()}
    for name, message in messages.items():
        if message != messages["bare"]:
            raise SystemExit(f"{name} comes to other records than bare: nothing to compare")
