"""Telemetry API bodies for tests: builders of single events, and hypothesis strategies.

Shapes are those of
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html. Knows nothing of the
extension, so that a misreading of the shapes there cannot hide here.
"""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

type_names = (
    "platform.extension",
    "platform.telemetrySubscription",
    "platform.somethingOfTomorrow",
    "extension",
)

Json = Any
Envelope = dict[str, Any]


def to_body(items: Sequence[Json]) -> bytes:
    """Return one POST body: a JSON array, in UTF-8 as Lambda writes it."""
    return json.dumps(items, ensure_ascii=False).encode()


def event(event_type: str, record: Json, time: str = "2026-11-23T09:51:34.620Z") -> Envelope:
    """Return one envelope."""
    return {"time": time, "type": event_type, "record": record}


def line(record: Json, time: str = "2026-11-23T09:51:34.620Z") -> Envelope:
    """Return one `function` event."""
    return event("function", record, time)


def start(request_id: str, trace_header: str = "", time: str = "2026-11-23T09:51:34Z") -> Envelope:
    """Return one `platform.start`, with tracing when there is a header."""
    record: dict[str, Json] = {"requestId": request_id, "version": "$LATEST"}
    if trace_header:
        record["tracing"] = {"type": "X-Amzn-Trace-Id", "value": trace_header}
    return event("platform.start", record, time)


def runtime_done(
    request_id: str, duration_ms: float = 17.5, time: str = "2026-11-23T09:51:35Z"
) -> Envelope:
    """Return one successful `platform.runtimeDone`."""
    metrics = {"durationMs": duration_ms, "producedBytes": 50}
    record = {"requestId": request_id, "status": "success", "metrics": metrics}
    return event("platform.runtimeDone", record, time)


def report(
    request_id: str, duration_ms: float = 18.25, time: str = "2026-11-23T09:51:36Z"
) -> Envelope:
    """Return one successful `platform.report`."""
    metrics = {
        "durationMs": duration_ms,
        "billedDurationMs": 19,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 75,
    }
    record = {"requestId": request_id, "status": "success", "metrics": metrics}
    return event("platform.report", record, time)


def _nest(children: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.lists(children, max_size=3) | st.dictionaries(
        st.text(max_size=8), children, max_size=3
    )


# Any value that JSON can hold, integers beyond 64 bits included.
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    _nest,
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)

_numbers = st.integers(min_value=0) | st.floats(min_value=0, allow_nan=False, allow_infinity=False)
_request_ids = st.text(min_size=1, max_size=36)
_times = st.datetimes().map(
    lambda moment: moment.isoformat(timespec="milliseconds") + "Z"
) | st.text(max_size=24)


def _with(required: dict[str, st.SearchStrategy[Json]]) -> st.SearchStrategy[Json]:
    """Return records that have what is required, and anything in the fields that may be absent."""
    optional: dict[str, st.SearchStrategy[Json]] = {
        "status": st.sampled_from(("success", "error", "failure", "timeout")) | json_values,
        "errorType": json_values,
        "metrics": st.fixed_dictionaries({}, optional={"durationMs": _numbers | json_values}),
        "tracing": json_values,
        "functionArn": json_values,
    }
    return st.fixed_dictionaries(required, optional=optional)


def _events(
    types: st.SearchStrategy[str], records: st.SearchStrategy[Json]
) -> st.SearchStrategy[Envelope]:
    return st.fixed_dictionaries({"time": _times, "type": types, "record": records})


log_events = _events(st.just("function"), st.text(max_size=40) | json_objects)
invocation_events = _events(
    st.sampled_from(("platform.start", "platform.runtimeDone", "platform.report")),
    _with({"requestId": _request_ids}),
)
other_events = _events(
    st.sampled_from(
        (
            "platform.initStart",
            "platform.initRuntimeDone",
            "platform.initReport",
            "platform.restoreStart",
            "platform.restoreRuntimeDone",
            "platform.restoreReport",
        )
    ),
    _with({}),
) | _events(st.sampled_from(type_names), json_values)

# Every event that makes sense: known types with what they need, unknown ones with anything.
valid_events = log_events | invocation_events | other_events

# JSON values that are no event: no object, no type, a type that is no text, or a known type
# without what it cannot do without.
garbage_items: st.SearchStrategy[Json] = (
    json_values.filter(lambda value: not isinstance(value, dict))
    | json_objects.filter(lambda value: "type" not in value)
    | st.fixed_dictionaries(
        {
            "type": json_values.filter(lambda value: not isinstance(value, str)),
            "record": json_values,
        }
    )
    | st.fixed_dictionaries(
        {
            "type": st.sampled_from(("platform.start", "platform.runtimeDone", "platform.report")),
            "record": json_values.filter(lambda value: not isinstance(value, dict))
            | json_objects.filter(lambda value: "requestId" not in value),
        }
    )
    | st.fixed_dictionaries({"time": _times, "type": st.just("function")})
)
