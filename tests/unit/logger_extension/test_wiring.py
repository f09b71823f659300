"""The parts put together from the settings: what goes in comes out at a real collector."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from logger_extension.bootstrap import Handoff
from logger_extension.config import Config
from logger_extension.pipeline import Pipeline
from logger_extension.wiring import Wiring
from tests.support.extension import Complaints, open_window, read_logs, read_spans
from tests.support.function_requests import make_logs
from tests.support.http_collector import HttpCollector
from tests.support.telemetry_bodies import line, report, runtime_done, start, to_body

REGISTERED = b'{"functionName":"checkout","accountId":"123456789012"}'


class Wired:
    """A pipeline as the app has it."""

    def __init__(self, wiring: Wiring, pipeline: Pipeline) -> None:
        self.wiring = wiring
        self.pipeline = pipeline


@asynccontextmanager
async def _wired(
    collector: HttpCollector, *, restarted: bool = False, **environ: str
) -> AsyncIterator[Wired]:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
    handoff = Handoff("127.0.0.1:1", "id", REGISTERED)
    handoff.restarted = restarted
    async with AsyncExitStack() as stack:
        config = Config.from_env(endpoint | environ)
        wiring = Wiring(handoff, config, stack, Complaints(), lambda function: function)
        yield Wired(wiring, await wiring.build_pipeline())


async def test_an_invocation_comes_out_as_three_signals() -> None:
    """With the resource of the settings on each of them."""
    collector = HttpCollector()
    async with collector.running(), _wired(collector, OTEL_SERVICE_NAME="shop") as wired:
        wired.pipeline.accept(to_body([start("r"), line("hello"), runtime_done("r"), report("r")]))
        await wired.pipeline.flush(open_window())
        wired.pipeline.end_all("spindown")
        await wired.pipeline.flush(open_window(is_last=True))
    by_path = {path: body for path, _, body in collector.requests}
    assert set(by_path) == {"/v1/logs", "/v1/traces", "/v1/metrics"}
    assert [record.body.string_value for record in read_logs(by_path["/v1/logs"])] == ["hello"]
    assert len(read_spans(by_path["/v1/traces"])) >= 1
    (entry,) = ExportLogsServiceRequest.FromString(by_path["/v1/logs"]).resource_logs
    resource = {each.key: each.value.string_value for each in entry.resource.attributes}
    assert resource["service.name"] == "shop"
    assert resource["cloud.account.id"] == "123456789012"


async def test_what_the_functions_sdk_sends_comes_out_too() -> None:
    """Through queues of its own."""
    collector = HttpCollector()
    async with collector.running(), _wired(collector) as wired:
        assert wired.pipeline.accept_request("logs", make_logs(b"\1" * 16))
        await wired.pipeline.flush(open_window())
    paths = [path for path, _, _ in collector.requests]
    assert "/v1/logs" in paths


@pytest.mark.parametrize(
    ("held", "lost"),
    [("17", {"telemetry.process_killed": 17}), ("0", {}), ("", {}), ("many", {})],
)
async def test_what_a_killed_process_held_is_lost_and_counted(
    monkeypatch: pytest.MonkeyPatch, held: str, lost: dict[str, int]
) -> None:
    """The launcher hands the number on; without one there is nothing to count."""
    monkeypatch.setenv("LOGGER_EXTENSION_HELD", held)
    collector = HttpCollector()
    async with _wired(collector, restarted=True) as wired:
        assert wired.pipeline.count_lost() == lost
    async with _wired(collector) as first:
        assert first.pipeline.count_lost() == {}


@pytest.mark.parametrize(
    ("memory", "init_type", "reads_at_once"),
    [
        ("128", "on-demand", False),
        ("3538", "on-demand", True),
        ("128", "lambda-managed-instances", True),
    ],
)
async def test_bodies_wait_unread_where_the_handler_needs_the_cpu(
    memory: str, init_type: str, *, reads_at_once: bool
) -> None:
    """Not with a spare CPU, nor where invocations come side by side."""
    async with _wired(
        HttpCollector(),
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory,
        AWS_LAMBDA_INITIALIZATION_TYPE=init_type,
    ) as wired:
        wired.pipeline.accept(to_body([line("hello")]))
        assert (len(wired.pipeline._inbox) == 0) is reads_at_once


async def test_the_extension_tells_of_itself() -> None:
    """Its own figures are among the metrics of the last flush."""
    collector = HttpCollector()
    async with collector.running(), _wired(collector) as wired:
        wired.wiring.itself.note_flush(0.5)
        wired.pipeline.end_all("spindown")
        await wired.pipeline.flush(open_window(is_last=True))
    ((path, _, body),) = collector.requests
    assert path == "/v1/metrics"
    for name in (b"logger_extension.flush.duration", b"logger_extension.cpu.time"):
        assert name in body
