"""The receiver over real sockets."""

import asyncio
import gzip
from collections.abc import Sequence

import aiohttp
import orjson
import pytest
from aiohttp import web
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # has no py.typed
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp_viewer import Collector, Counts, ListenError, LogRow, SinkError, Store, wire
from otlp_viewer.database import Database

_JSON_LOG = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "faas.name", "value": {"stringValue": "f"}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "s"},
                    "logRecords": [
                        {
                            "timeUnixNano": "1700000000000000000",
                            "severityNumber": 9,
                            "body": {"stringValue": "hello"},
                            "traceId": "5759e988bd862e3fe1be46a994272793",
                            "spanId": "53995c3f42cd8ad8",
                        }
                    ],
                }
            ],
        }
    ]
}


async def _post(
    collector: Collector, path: str, body: bytes, **headers: str
) -> tuple[int, str, bytes]:
    """Return status, content type and body of the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.post(collector.endpoint + path, data=body, headers=named) as response,
    ):
        return response.status, response.content_type, await response.read()


def _logs(*bodies: str) -> bytes:
    request = ExportLogsServiceRequest()
    scope_logs = request.resource_logs.add().scope_logs.add()
    for body in bodies:
        scope_logs.log_records.add().body.string_value = body
    return request.SerializeToString()


@pytest.mark.parametrize("compress", [False, True])
async def test_logs_in_protobuf_arrive(*, compress: bool) -> None:
    """With and without gzip; the answer is a full success in protobuf."""
    async with Collector() as collector:
        body = gzip.compress(_logs("a", "b")) if compress else _logs("a", "b")
        headers = {"Content_Encoding": "gzip"} if compress else {}
        status, content_type, answer = await _post(
            collector, "/v1/logs", body, Content_Type=wire.PROTOBUF, **headers
        )
        assert (status, content_type) == (200, wire.PROTOBUF)
        assert ExportLogsServiceResponse.FromString(answer) == ExportLogsServiceResponse()
        assert [row.body for row in collector.store.logs] == ["a", "b"]
        assert collector.requests == {"/v1/logs": 1}


async def test_logs_in_json_arrive() -> None:
    """With hex ids; the content type may carry a charset; the answer is JSON too."""
    async with Collector() as collector:
        status, content_type, answer = await _post(
            collector,
            "/v1/logs",
            orjson.dumps(_JSON_LOG),
            Content_Type="application/json; charset=utf-8",
        )
        assert (status, content_type, orjson.loads(answer)) == (200, wire.JSON, {})
        [row] = collector.store.logs
        assert (row.body, row.resource, row.scope) == ("hello", {"faas.name": "f"}, "s")
        assert row.trace_id == "5759e988bd862e3fe1be46a994272793"
        assert row.span_id == "53995c3f42cd8ad8"


async def test_each_signal_has_its_path() -> None:
    """Traces and metrics go where they belong."""
    traces, metrics = ExportTraceServiceRequest(), ExportMetricsServiceRequest()
    traces.resource_spans.add().scope_spans.add().spans.add().name = "work"
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.gauge.data_points.add().as_int = 7
    async with Collector() as collector:
        for path, message in (("/v1/traces", traces), ("/v1/metrics", metrics)):
            body = message.SerializeToString()
            status, *_ = await _post(collector, path, body, Content_Type=wire.PROTOBUF)
            assert status == 200
        assert [row.name for row in collector.store.spans] == ["work"]
        assert [row.value for row in collector.store.metrics] == [7]
        assert collector.store.received == Counts(spans=1, metrics=1)


async def test_a_bad_body_is_answered_with_a_status_in_its_own_content_type() -> None:
    """400, and nothing is kept."""
    async with Collector() as collector:
        status, content_type, answer = await _post(
            collector, "/v1/logs", b"\xff", Content_Type=wire.PROTOBUF
        )
        assert (status, content_type) == (400, wire.PROTOBUF)
        assert Status.FromString(answer).code == 3
        status, content_type, answer = await _post(
            collector, "/v1/logs", b"{", Content_Type=wire.JSON
        )
        assert (status, content_type) == (400, wire.JSON)
        assert "not JSON" in orjson.loads(answer)["message"]
        assert collector.refused == {400: 2}
        assert collector.requests == {"/v1/logs": 2}
        assert not collector.store.logs


@pytest.mark.parametrize("encoding", ["none", "gzip"])
async def test_a_body_over_the_limit_is_answered_with_413(encoding: str) -> None:
    """Whether it is over as it comes or after decompression."""
    async with Collector(max_body_bytes=1_000) as collector:
        body = _logs("x" * 2_000)
        status, content_type, answer = await _post(
            collector,
            "/v1/logs",
            gzip.compress(body) if encoding == "gzip" else body,
            Content_Type=wire.PROTOBUF,
            Content_Encoding=encoding,
        )
        assert (status, content_type) == (413, wire.PROTOBUF)
        assert Status.FromString(answer).code == 8


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content_Type": "text/plain"},
        {"Content_Type": wire.PROTOBUF, "Content_Encoding": "zstd"},
    ],
)
async def test_what_otlp_has_not_is_answered_with_415(headers: dict[str, str]) -> None:
    """Another content type or encoding, or none."""
    async with Collector() as collector:
        status, *_ = await _post(collector, "/v1/logs", _logs("a"), **headers)
        assert status == 415


async def test_other_paths_and_methods_are_not_there() -> None:
    """As with any web server."""
    async with Collector() as collector, aiohttp.ClientSession() as session:
        async with session.get(f"{collector.endpoint}/v1/logs") as response:
            assert response.status == 405
        async with session.post(f"{collector.endpoint}/v1/other") as response:
            assert response.status == 404


async def test_a_taken_port_is_an_error_that_says_so() -> None:
    """And leaves nothing behind."""
    async with Collector() as collector:
        port = int(collector.endpoint.rpartition(":")[2])
        with pytest.raises(ListenError, match=f"127.0.0.1:{port} .*choose another port"):
            async with Collector(port=port):
                pass


async def test_the_endpoint_of_an_ipv6_address_has_brackets() -> None:
    """As URLs want it."""
    assert Collector("::1", 4318).endpoint == "http://[::1]:4318"


async def test_closing_does_not_wait_for_idle_connections() -> None:
    """Exporters keep their connections open between requests."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(5):
        async with Collector() as collector:
            url = f"{collector.endpoint}/v1/logs"
            headers = {"Content-Type": wire.PROTOBUF}
            async with session.post(url, data=_logs("a"), headers=headers) as response:
                await response.read()
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, data=_logs("b"), headers=headers)


async def test_the_store_may_be_a_given_one() -> None:
    """A command that prints keeps its own."""
    store = Store()
    async with Collector(store=store) as collector:
        await _post(collector, "/v1/logs", _logs("a"), Content_Type=wire.PROTOBUF)
    assert [row.body for row in store.logs] == ["a"]


_TYPES = st.sampled_from([wire.PROTOBUF, wire.JSON, "text/plain", "application/x-protobuf; x=y"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["/v1/logs", "/v1/traces", "/v1/metrics"]),
            _TYPES,
            st.sampled_from(["", "gzip", "none", "deflate", "br"]),
            st.binary(max_size=200) | st.binary(max_size=200).map(gzip.compress),
        ),
        min_size=1,
        max_size=5,
    )
)
async def test_any_bytes_are_accepted_or_refused(
    requests: list[tuple[str, str, str, bytes]],
) -> None:
    """The answer is 200 or 4xx, never a fault of the server."""
    async with Collector() as collector:
        for path, content_type, encoding, body in requests:
            status, *_ = await _post(
                collector, path, body, Content_Type=content_type, Content_Encoding=encoding
            )
            assert status == 200 or 400 <= status < 500
        assert collector.requests.total() == len(requests)


async def test_further_stores_get_the_same_rows() -> None:
    """All signals, with the size of the request."""
    traces = ExportTraceServiceRequest()
    traces.resource_spans.add().scope_spans.add().spans.add().name = "work"
    further = Store()
    with Database() as database:
        async with Collector(also=[database, further]) as collector:
            for path, body in (
                ("/v1/logs", _logs("a")),
                ("/v1/traces", traces.SerializeToString()),
            ):
                status, *_ = await _post(collector, path, body, Content_Type=wire.PROTOBUF)
                assert status == 200
            assert list(further.logs) == list(collector.store.logs)
        assert database.received == collector.store.received == Counts(logs=1, spans=1)
        assert database.query("SELECT Body FROM otel_logs") == [{"Body": "a"}]


@pytest.mark.parametrize("content_type", [wire.PROTOBUF, wire.JSON])
async def test_what_a_further_store_cannot_take_is_sent_again(content_type: str) -> None:
    """503 asks for it; the request is in no store twice, and in none before all have it."""

    class Full(Store):
        is_full = True

        def add_logs(self, rows: Sequence[LogRow], size_bytes: int = 0) -> None:
            if self.is_full:
                raise SinkError("no space left on device")
            super().add_logs(rows, size_bytes)

    full = Full()
    body = _logs("a") if content_type == wire.PROTOBUF else orjson.dumps(_JSON_LOG)
    async with Collector(also=[full]) as collector:
        status, _, answer = await _post(collector, "/v1/logs", body, Content_Type=content_type)
        assert status == 503
        assert b"no space left on device" in answer
        if content_type == wire.PROTOBUF:
            assert Status.FromString(answer).code == 14
        assert (collector.refused, collector.store.received) == ({503: 1}, Counts())
        full.is_full = False
        status, *_ = await _post(collector, "/v1/logs", body, Content_Type=content_type)
        assert status == 200
        assert full.received == collector.store.received == Counts(logs=1)


async def test_pages_share_the_port() -> None:
    """Whoever starts the collector adds routes to it; OTLP's stay."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text="a page")

    def extend(app: web.Application) -> None:
        app.router.add_get("/", show)

    async with Collector(extend=extend) as collector:
        async with (
            aiohttp.ClientSession() as session,
            session.get(collector.endpoint + "/") as response,
        ):
            assert await response.text() == "a page"
        status, *_ = await _post(collector, "/v1/logs", _logs("a"), Content_Type=wire.PROTOBUF)
        assert status == 200
