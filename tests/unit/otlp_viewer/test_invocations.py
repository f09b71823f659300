"""Invocations read off spans."""

from otlp_viewer.invocations import find_invocations
from tests.support.viewer_rows import REQUEST_ID, make_server_span, make_span


def test_an_invocation_gathers_what_its_spans_tell() -> None:
    """Init and extension time come from the children, whatever their order of arrival."""
    overhead = make_span(
        name="extensionOverhead",
        span_id="cc" * 8,
        parent_span_id="aa" * 8,
        start_ms=100,
        end_ms=104,
    )
    init = make_span(
        name="init sandbox-function",
        span_id="bb" * 8,
        parent_span_id="aa" * 8,
        start_ms=-250,
        end_ms=-50,
    )
    server = make_server_span(attributes={"faas.coldstart": True, "aws.lambda.cost_usd": 2.5e-6})
    [invocation] = find_invocations([overhead, server, init])
    assert (invocation.request_id, invocation.function) == (REQUEST_ID, "sandbox-function")
    assert (invocation.init_ms, invocation.handler_ms, invocation.extension_ms) == (200, 100, 4)
    assert (invocation.status, invocation.error_type) == ("ok", "")
    assert invocation.cold_start
    assert invocation.cost_usd == 2.5e-6
    assert invocation.span is server


def test_what_no_span_tells_is_none() -> None:
    """A warm invocation whose overhead has not arrived yet, from a sender that knows no cost."""
    [invocation] = find_invocations([make_server_span()])
    assert (invocation.init_ms, invocation.extension_ms, invocation.cost_usd) == (None, None, None)
    assert not invocation.cold_start


def test_a_failed_invocation_names_its_error() -> None:
    """The status is the span's, the type its attribute."""
    span = make_server_span(status_code=2, attributes={"error.type": "ValueError"})
    [invocation] = find_invocations([span])
    assert (invocation.status, invocation.error_type) == ("error", "ValueError")


def test_children_of_another_invocation_do_not_count() -> None:
    """Span ids are unique only within their trace."""
    other = make_span(name="init x", trace_id="01" * 16, span_id="bb" * 8, parent_span_id="aa" * 8)
    [invocation] = find_invocations([make_server_span(), other])
    assert invocation.init_ms is None


def test_invocations_are_in_order_of_start_and_retries_are_kept() -> None:
    """Lambda retries an asynchronous event with the same request id: that is two invocations."""
    retry = make_server_span(span_id="bb" * 8, start_ms=900, end_ms=1_000)
    first = make_server_span()
    other = make_server_span("other", span_id="cc" * 8, start_ms=500, end_ms=600)
    assert [found.span for found in find_invocations([retry, first, other])] == [
        first,
        other,
        retry,
    ]


def test_only_server_spans_of_lambda_are_invocations() -> None:
    """A web server's span is none, nor an inner span that carries the request id."""
    spans = [make_span(kind=2), make_span(attributes={"faas.invocation_id": REQUEST_ID})]
    assert find_invocations(spans) == []
