"""Rows as lines of OTLP/JSON, the form of the collector's file exporter: one request a line."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import orjson

from otlp_viewer import Distribution, LogRow, MetricRow, SpanRow
from tests.support.telemetry_story import Story

_RowT = TypeVar("_RowT", LogRow, SpanRow, MetricRow)


def write_story(story: Story, folder: Path, *, rows_per_line: int = 200) -> list[Path]:
    """Write a story into three files of `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(folder / "traces.jsonl", encode_spans, story.spans, rows_per_line),
        _write(folder / "logs.jsonl", encode_logs, story.logs, rows_per_line),
        _write(folder / "metrics.jsonl", encode_metrics, story.metrics, rows_per_line),
    ]


def encode_spans(rows: Sequence[SpanRow]) -> bytes:
    """Return one request."""
    return _encode("resourceSpans", "scopeSpans", "spans", rows, _span)


def encode_logs(rows: Sequence[LogRow]) -> bytes:
    """Return one request."""
    return _encode("resourceLogs", "scopeLogs", "logRecords", rows, _log)


def encode_metrics(rows: Sequence[MetricRow]) -> bytes:
    """Return one request, with a metric for each point."""
    return _encode("resourceMetrics", "scopeMetrics", "metrics", rows, _metric)


def _write(
    path: Path,
    encode: Callable[[Sequence[_RowT]], bytes],
    rows: Sequence[_RowT],
    rows_per_line: int,
) -> Path:
    starts = range(0, len(rows), rows_per_line)
    lines = [encode(rows[start : start + rows_per_line]) for start in starts]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def _encode(
    entries: str,
    scopes: str,
    items: str,
    rows: Sequence[Any],
    encode: Callable[[Any], dict[str, Any]],
) -> bytes:
    """Rows that follow each other with the same resource and scope share an entry."""
    document = []
    for _, group in groupby(rows, key=lambda row: (id(row.resource), row.scope, row.scope_version)):
        together = list(group)
        scope = {"name": together[0].scope, "version": together[0].scope_version}
        document.append(
            {
                "resource": {"attributes": _pairs(together[0].resource)},
                scopes: [{"scope": scope, items: [encode(row) for row in together]}],
            }
        )
    return orjson.dumps({entries: document})


def _span(row: SpanRow) -> dict[str, Any]:
    return {
        "traceId": row.trace_id,
        "spanId": row.span_id,
        "parentSpanId": row.parent_span_id,
        "name": row.name,
        "kind": row.kind,
        "startTimeUnixNano": str(row.start_unix_nano),
        "endTimeUnixNano": str(row.end_unix_nano),
        "attributes": _pairs(row.attributes),
        "status": {"code": row.status_code, "message": row.status_message},
        "events": [
            {
                "name": event.name,
                "timeUnixNano": str(event.time_unix_nano),
                "attributes": _pairs(event.attributes),
            }
            for event in row.events
        ],
    }


def _log(row: LogRow) -> dict[str, Any]:
    return {
        "timeUnixNano": str(row.time_unix_nano),
        "observedTimeUnixNano": str(row.observed_time_unix_nano),
        "severityNumber": row.severity_number,
        "severityText": row.severity_text,
        "body": _value(row.body),
        "attributes": _pairs(row.attributes),
        "traceId": row.trace_id,
        "spanId": row.span_id,
        "flags": row.flags,
    }


def _metric(row: MetricRow) -> dict[str, Any]:
    point = {
        "startTimeUnixNano": str(row.start_unix_nano),
        "timeUnixNano": str(row.time_unix_nano),
        "attributes": _pairs(row.attributes),
        **_point(row.value),
    }
    data: dict[str, Any] = {"dataPoints": [point]}
    if row.temporality:
        data["aggregationTemporality"] = row.temporality
    if row.is_monotonic:
        data["isMonotonic"] = True
    return {"name": row.name, "unit": row.unit, row.kind: data}


def _point(value: float | Distribution | None) -> dict[str, Any]:
    if isinstance(value, Distribution):
        return {
            "count": str(value.count),
            "sum": value.sum,
            "min": value.min,
            "max": value.max,
            "bucketCounts": [str(count) for count in value.bucket_counts],
            "explicitBounds": value.explicit_bounds,
        }
    return {"asDouble": value} if isinstance(value, float) else {"asInt": str(value)}


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case dict():
            return {"kvlistValue": {"values": _pairs(value)}}
        case _:
            return {"arrayValue": {"values": [_value(each) for each in value]}}
