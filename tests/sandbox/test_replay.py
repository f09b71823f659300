"""What a fallback wrote down is replayed by the real command into a real collector."""

import asyncio
import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from logger_extension.exporters.fallback import Fallback, open_fallback
from logger_extension.settings.fallback import FallbackSettings
from logger_extension.signals.requests import parse
from otlp_viewer import Collector
from otlp_viewer.mapping import map_logs, map_metrics, map_spans
from tests.conftest import find_unused_port
from tests.support.export_targets import make_request
from tests.support.extension import Complaints
from tests.support.http_collector import HttpCollector
from tests.support.raw_server import RawServer
from tests.support.replaying import replay, rows_in, start_replay
from tests.support.whole import run_whole

MAPPINGS: dict[str, Callable[[Any], Sequence[Any]]] = {
    "logs": map_logs,
    "traces": map_spans,
    "metrics": map_metrics,
}

Telemetry = Sequence[tuple[str, bytes]]


async def run_function(folder: Path) -> Telemetry:
    """Return signal and body of each request that the extension sends for three invocations."""
    collector = HttpCollector()
    async with collector.running():
        endpoint = f"http://127.0.0.1:{collector.port}"
        async with run_whole(folder, endpoint=endpoint) as whole:
            for number in range(3):
                lines = [f'{number} "quoted" \u2028 line', json.dumps({"level": "ERROR", "n": 1})]
                await whole.sandbox.invoke(json.dumps({"lines": lines}).encode())
            await whole.sandbox.shutdown()
    return [(path.removeprefix("/v1/"), body) for path, _, body in collector.requests]


def make_logs(count: int) -> Telemetry:
    """Return one request with numbered records."""
    bodies = [make_request("logs", str(number)).SerializeToString() for number in range(count)]
    return [("logs", b"".join(bodies))]


async def write_down(telemetry: Telemetry, folder: Path) -> Path:
    """Write requests as the extension's own fallback does; return the directory."""
    directory = folder / "spool"
    fallback = open_fallback(FallbackSettings(destination=str(directory)), Complaints())
    assert isinstance(fallback, Fallback)
    for kind, body in telemetry:
        assert await fallback.write(kind, body) == 0
    fallback.close()
    return directory


def rows_of(telemetry: Telemetry) -> list[str]:
    """Return what a collector keeps of these requests, sorted."""
    return sorted(str(row) for kind, body in telemetry for row in MAPPINGS[kind](parse(kind, body)))


async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """Logs, spans and data points of a real function arrive once, each as it was sent at first."""
    (tmp_path / "whole").mkdir()
    telemetry = await run_function(tmp_path / "whole")
    assert {kind for kind, _ in telemetry} == set(MAPPINGS)
    directory = await write_down(telemetry, tmp_path)
    async with Collector() as collector:
        code, out, err = await replay(directory, "--endpoint", collector.endpoint)
        assert (code, err) == (0, "")
        assert rows_in(collector.store) == rows_of(telemetry)
        assert len(collector.store.logs) == 6
        # Requests of one signal go together.
        assert collector.requests == {"/v1/logs": 1, "/v1/traces": 1, "/v1/metrics": 1}
        assert "0 other lines were skipped." in out


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
async def test_from_cloudwatch_by_stdin(tmp_path: Path, protocol: str) -> None:
    """Lines among the function's own, each an event in JSON, as `aws logs` prints them."""
    telemetry = make_logs(2_000)
    (path,) = (await write_down(telemetry, tmp_path)).iterdir()
    messages = ["START RequestId: 1", *path.read_text().split("\n"), "END RequestId: 1"]
    events = {"events": [{"timestamp": 1, "message": f"{message}\n"} for message in messages]}
    given = json.dumps(events, indent=4).encode()
    async with Collector() as collector:
        options = ("--endpoint", collector.endpoint, "--protocol", protocol)
        code, _, err = await replay("-", *options, given=given)
        assert (code, err) == (0, "")
        assert rows_in(collector.store) == rows_of(telemetry)


async def test_what_is_undelivered_can_be_replayed(tmp_path: Path) -> None:
    """Nobody listens: exit code 1, and the rest file holds all of it for the next time."""
    telemetry = [*make_logs(50), ("traces", make_request("traces", "GET").SerializeToString())]
    directory, rest = await write_down(telemetry, tmp_path), tmp_path / "rest"
    nowhere = f"http://127.0.0.1:{find_unused_port()}"
    options = ("--endpoint", nowhere, "--tries", "1", "--rest", rest)
    code, out, err = await replay(directory, *options)
    assert code == 1
    assert "nothing more is sent" in err
    assert [line.split()[-1] for line in out.splitlines()[1:3]] == ["50", "1"]
    async with Collector() as collector:
        code, _, _ = await replay(rest, "--endpoint", collector.endpoint)
        assert code == 0
        assert rows_in(collector.store) == rows_of(telemetry)


async def test_a_collector_that_takes_only_small_requests(tmp_path: Path) -> None:
    """413 costs nothing: what was too much is sent in parts."""
    telemetry = make_logs(3_000)
    directory = await write_down(telemetry, tmp_path)
    async with Collector(max_body_bytes=20_000) as collector:
        code, _, err = await replay(directory, "--endpoint", collector.endpoint)
        assert (code, err) == (0, "")
        assert collector.refused[413] > 0
        assert rows_in(collector.store) == rows_of(telemetry)


async def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    """It counts, needs no collector, and finds what is cut."""
    directory = await write_down(make_logs(50), tmp_path)
    (path,) = directory.iterdir()
    code, out, err = await replay(directory, "--dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines()[1].split() == ["logs", "1", "50"]
    with path.open("a") as file:
        file.write('{"resourceLogs":[{"sco\n')
    code, out, _ = await replay(directory, "--dry-run")
    assert code == 1
    assert f"{path}, line 2" in out


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
async def test_ended_by_a_signal(tmp_path: Path, number: signal.Signals, expected: int) -> None:
    """While a collector does not answer: what was read is in the rest file, once."""
    telemetry = make_logs(50)
    directory, rest = await write_down(telemetry, tmp_path), tmp_path / "rest"
    is_asked = asyncio.Event()

    async def never_answer(
        server: RawServer, reader: asyncio.StreamReader, _: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        is_asked.set()
        await reader.read()

    async with RawServer(never_answer) as silent:
        endpoint = f"http://127.0.0.1:{silent.port}"
        process = await start_replay(directory, "--endpoint", endpoint, "--rest", rest)
        await is_asked.wait()
        process.send_signal(number)
        out, err = await process.communicate()
    assert process.returncode == expected
    assert out.decode().splitlines()[1].split()[-1] == "50"
    assert "what follows there was not read" in err.decode()
    assert "Traceback" not in err.decode()
    async with Collector() as collector:
        code, _, _ = await replay(rest, "--endpoint", collector.endpoint)
        assert code == 0
        assert rows_in(collector.store) == rows_of(telemetry)
