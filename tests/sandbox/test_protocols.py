"""All protocols out, from variables to a collector that is not ours."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from logger_extension.environment import Environment
from logger_extension.exporters.protocols import open_exporter
from logger_extension.policy.outcome import Delivered, Refused
from logger_extension.settings.export import GRPC, PROTOCOLS, SIGNALS, ExportSettings
from tests.support.export_targets import SPAN_ID, TRACE_ID, make_request
from tests.support.rotel import HAS_ROTEL, Rotel, run_rotel
from tests.support.whole import run_whole

pytestmark = pytest.mark.skipif(not HAS_ROTEL, reason="rotel has no wheel for this Python")


@pytest.fixture
async def rotel(unused_port: int, unused_port_2: int) -> AsyncIterator[Rotel]:
    """Run a rotel agent that prints what it receives."""
    async with run_rotel(unused_port, unused_port_2) as agent:
        yield agent


def _environ(rotel: Rotel, protocol: str, compression: str) -> dict[str, str]:
    port = rotel.grpc_port if protocol == GRPC else rotel.http_port
    return {
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20dXNlcg%3D%3D",
    }


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_rotel_takes_every_signal(rotel: Rotel, protocol: str, compression: str) -> None:
    """A log record, a span and a metric are printed with what they hold."""
    settings = ExportSettings.read(Environment(_environ(rotel, protocol, compression)))
    for signal in SIGNALS:
        body = make_request(signal, f"{signal} over {protocol}").SerializeToString()
        async with open_exporter(getattr(settings, signal)) as exporter:
            assert await exporter.export(body) == Delivered()
    printed = await rotel.read_until(*(f"{signal} over {protocol}" for signal in SIGNALS))
    assert printed.count(TRACE_ID.hex()) >= 2
    assert printed.count(SPAN_ID.hex()) >= 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_whole_extension_speaks_it(tmp_path: Path, rotel: Rotel, protocol: str) -> None:
    """What a function printed and its span arrive by each protocol, without a complaint."""
    environ = _environ(rotel, protocol, "gzip")
    endpoint = environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT")
    async with run_whole(tmp_path, endpoint=endpoint, environ=environ) as whole:
        result = await whole.sandbox.invoke(b'{"lines": ["plain words"]}')
        await whole.sandbox.shutdown()
        assert whole.stderr == []
    assert result.status == "success"
    printed = await rotel.read_until("plain words", "faas.coldstart", "extensionOverhead")
    assert result.request_id in printed


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_rotel_refuses_what_is_no_otlp(rotel: Rotel, protocol: str) -> None:
    """Its answer to rubbish drops the data; what comes after it still arrives."""
    settings = ExportSettings.read(Environment(_environ(rotel, protocol, "gzip")))
    assert settings.logs is not None
    async with open_exporter(settings.logs) as exporter:
        outcome = await exporter.export(b"\xff" * 20)
        assert isinstance(outcome, Refused)
        assert re.match(r"HTTP 4|gRPC [A-Z]|not a request", outcome.reason)
        body = make_request("logs", "after the rubbish").SerializeToString()
        assert await exporter.export(body) == Delivered()
    await rotel.read_until("after the rubbish")
