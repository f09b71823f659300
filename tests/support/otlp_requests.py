"""Requests of any shape for property tests, and what they hold, item by item."""

from typing import Any

from hypothesis import strategies as st

from logger_extension.signals.requests import SIGNALS, count_items, points_of

texts = st.text(max_size=12)
SIGNAL_NAMES = tuple(SIGNALS)


@st.composite
def requests(draw: st.DrawFn, signal: str) -> Any:
    """Draw a request with up to three resources, scopes and items each, some of them empty."""
    names = SIGNALS[signal]
    request: Any = names.request()
    number = 0
    for _ in range(draw(st.integers(0, 3))):
        entry = getattr(request, names.entries).add(schema_url=draw(texts))
        entry.resource.attributes.add(key="service.name").value.string_value = draw(texts)
        for _ in range(draw(st.integers(0, 3))):
            scope = getattr(entry, names.scopes).add()
            scope.scope.name = draw(texts)
            for _ in range(draw(st.integers(0, 3))):
                number += 1
                _fill(draw, signal, getattr(scope, names.items).add(), number)
    return request


def list_items(signal: str, request: Any) -> list[tuple[Any, ...]]:
    """Return every item in order, each with the resource, scope and metric that it belongs to."""
    names = SIGNALS[signal]
    found: list[tuple[Any, ...]] = []
    for entry in getattr(request, names.entries):
        for scope in getattr(entry, names.scopes):
            context = (str(entry.resource), entry.schema_url, str(scope.scope))
            for item in getattr(scope, names.items):
                if signal != "metrics":
                    found.append((*context, str(item)))
                    continue
                kind = item.WhichOneof("data")
                about = (item.name, item.unit, kind, _describe_data(item))
                found += [(*context, *about, str(point)) for point in points_of(item)]
    assert len(found) == count_items(signal, request)
    return found


def list_all(signal: str, bodies: list[bytes]) -> list[tuple[Any, ...]]:
    """Return every item of several serialized requests."""
    kind = SIGNALS[signal].request
    return [item for body in bodies for item in list_items(signal, kind.FromString(body))]


def _fill(draw: st.DrawFn, signal: str, item: Any, number: int) -> None:
    if signal == "logs":
        item.time_unix_nano = number
        item.trace_id = draw(st.binary(max_size=16))
        item.body.string_value = draw(texts) * draw(st.integers(1, 9))
    elif signal == "traces":
        item.start_time_unix_nano = number
        item.name = draw(texts)
        item.links.add(span_id=draw(st.binary(max_size=8)))
    else:
        _fill_metric(draw, item, number)


def _fill_metric(draw: st.DrawFn, metric: Any, number: int) -> None:
    metric.name = draw(texts)
    metric.unit = draw(texts)
    kind = draw(st.sampled_from(["", "gauge", "sum", "histogram", "exponential_histogram"]))
    if not kind:
        return
    data = getattr(metric, kind)
    data.SetInParent()
    if kind != "gauge":
        data.aggregation_temporality = draw(st.integers(0, 2))
    if kind == "sum":
        data.is_monotonic = draw(st.booleans())
    for place in range(draw(st.integers(0, 4))):
        point = data.data_points.add(time_unix_nano=number, start_time_unix_nano=place)
        point.attributes.add(key="k").value.double_value = draw(st.floats())


def _describe_data(metric: Any) -> tuple[Any, ...]:
    data = getattr(metric, metric.WhichOneof("data") or "", None)
    return tuple(getattr(data, name, None) for name in ("aggregation_temporality", "is_monotonic"))
