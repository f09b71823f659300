"""Lambdas other than the usual one: Managed Instances, no Telemetry API, another address."""

import asyncio
import json
from pathlib import Path

from lambda_sandbox import InitType, TelemetryFaults
from tests.support.whole import EXTENSION, run_whole


async def test_managed_instances(tmp_path: Path) -> None:
    """Invocations that run at once give their own spans, flushed by the clock without an INVOKE."""
    scenario = {"init_type": InitType.MANAGED_INSTANCES, "max_concurrency": 3, "log_format": "JSON"}
    environ = {"OTEL_BLRP_SCHEDULE_DELAY": "50"}
    handler = (
        "import json, os, time\n"
        "def handler(event, context):\n"
        "    time.sleep(0.1)\n"
        "    line = {'message': event['n'], 'requestId': context.aws_request_id}\n"
        # One write: print writes its newline apart, and workers share the stream.
        "    os.write(1, json.dumps(line).encode() + b'\\n')\n"
    )
    async with run_whole(tmp_path, handler=handler, environ=environ, scenario=scenario) as whole:
        results = await asyncio.gather(
            *(whole.sandbox.invoke(json.dumps({"n": n}).encode()) for n in range(3))
        )
        assert [result.status for result in results] == ["success"] * 3
        await whole.collector.store.wait_for(
            lambda store: len(store.invocations()) == 3 and len(store.logs) == 3, timeout_s=10
        )
        spans = whole.server_spans()
        assert sorted(spans) == sorted(result.request_id for result in results)
        by_number = {row.body: row for row in whole.logs()}
        for n, result in enumerate(results):
            assert by_number[n].attributes["faas.invocation_id"] == result.request_id
            assert by_number[n].span_id == spans[result.request_id].span_id
            assert spans[result.request_id].end_unix_nano > spans[result.request_id].start_unix_nano
        await whole.sandbox.shutdown()
        [registered] = whole.sandbox.transcript.select("register", actor=EXTENSION)
        assert tuple(registered.details["events"]) == ("SHUTDOWN",)


async def test_without_the_telemetry_api(tmp_path: Path) -> None:
    """Where the subscription is answered 202, INVOKE and next alone become marked spans."""
    scenario = {"telemetry": TelemetryFaults(supported=False)}
    async with run_whole(tmp_path, scenario=scenario) as whole:
        results = [await whole.sandbox.invoke(b'{"lines": ["unseen"]}') for _ in range(2)]
        await whole.sandbox.shutdown()
        spans = whole.server_spans()
        assert sorted(spans) == sorted(result.request_id for result in results)
        for span in spans.values():
            assert span.attributes["logger_extension.timing"] == "estimated"
        assert whole.logs() == []
        assert whole.stderr == []


async def test_another_address_of_the_api(tmp_path: Path) -> None:
    """AWS_LAMBDA_RUNTIME_API is taken as it comes; newer fleets do not use 127.0.0.1:9001."""
    async with run_whole(tmp_path, scenario={"api_host": "127.0.0.3"}) as whole:
        await whole.sandbox.invoke(b'{"lines": ["here"]}')
        await whole.sandbox.shutdown()
        assert whole.sandbox.api_address.startswith("127.0.0.3:")
        assert whole.bodies() == ["here"]


async def test_telemetry_port_in_use(tmp_path: Path, unused_port: int) -> None:
    """Another extension's port is evaded: Lambda is told where we listen."""

    async def ignore(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    taken = await asyncio.start_server(ignore, "127.0.0.1", unused_port)
    environ = {"LOGGER_EXTENSION_TELEMETRY_PORT": str(unused_port)}
    async with taken, run_whole(tmp_path, environ=environ) as whole:
        await whole.sandbox.invoke(b'{"lines": ["here"]}')
        await whole.sandbox.shutdown()
        assert whole.bodies() == ["here"]


async def test_provisioned_concurrency(tmp_path: Path) -> None:
    """Init comes ahead of any invocation: a trace of its own, and no invocation is cold."""
    scenario = {"init_type": InitType.PROVISIONED_CONCURRENCY}
    async with run_whole(tmp_path, scenario=scenario) as whole:
        result = await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        span = whole.server_spans()[result.request_id]
        assert span.attributes["faas.coldstart"] is False
        [init] = [s for s in whole.collector.store.spans if s.name == "init sandbox-function"]
        assert (init.parent_span_id, init.trace_id == span.trace_id) == ("", False)


async def test_snap_start(tmp_path: Path) -> None:
    """A restore takes the place of init in the trace of the invocation that waited for it."""
    async with run_whole(tmp_path, scenario={"init_type": InitType.SNAP_START}) as whole:
        result = await whole.sandbox.invoke(b'{"lines": ["after the restore"]}')
        assert result.status == "success"
        await whole.sandbox.shutdown()
        span = whole.server_spans()[result.request_id]
        children = [s.name for s in whole.collector.store.spans if s.parent_span_id == span.span_id]
        assert "restore sandbox-function" in children
        assert whole.bodies() == ["after the restore"]
