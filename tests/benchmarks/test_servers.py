"""The collector of the benchmarks counts what real clients send, by way and by mark."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import pytest

from benchmarks.local_lambda import Setup, open_lane, run_server
from benchmarks.subjects import IDLE_EVENT

DELAY_MS = 80


async def chunk() -> AsyncIterator[bytes]:
    """Send a body without telling its length, in two parts."""
    yield b"order 1, mark=far.3;"
    yield b"order 2, mark=far.3;2"


async def test_lines_are_counted_by_mark_and_bytes_by_way() -> None:
    """Plain, compressed or in chunks; what is sent twice counts twice."""
    async with run_server("collector", "near=0", "far=0") as server, aiohttp.ClientSession() as web:
        urls = {name: f"http://{address}/v1/logs" for name, address in server.addresses.items()}
        sent_s = time.monotonic()
        plain = b"a mark=near.1; b mark=near.1;\x32c mark=near.12;"
        for url, body in (
            (urls["near"], plain),
            (urls["near"], gzip.compress(b"late mark=near.1;")),
            (urls["far"], chunk()),
        ):
            async with web.post(url, data=body) as answer:
                assert answer.status == 200
        answered_s = time.monotonic()
        counts = await server.finish()
    assert counts["lines"] == {"near.1": 3, "near.12": 1, "far.3": 2}
    arrived_s = counts["arrived_s"]
    assert sent_s <= arrived_s["near.12"] <= arrived_s["near.1"] <= arrived_s["far.3"] <= answered_s
    assert set(counts["bytes"]) == {"near", "far"}
    assert counts["bytes"]["near"] > len(plain)


async def test_a_way_takes_its_time() -> None:
    """Half of the delay there and half of it back, each at least."""
    async with (
        run_server("collector", f"far={DELAY_MS}") as server,
        aiohttp.ClientSession() as web,
    ):
        sent_s = time.monotonic()
        async with web.post(f"http://{server.addresses['far']}/", data=b"mark=far.0;"):
            answered_s = time.monotonic()
        arrived_s = (await server.finish())["arrived_s"]["far.0"]
    assert arrived_s - sent_s >= DELAY_MS / 2_000
    assert answered_s - sent_s >= DELAY_MS / 1_000


async def test_grpc_is_taken_where_the_name_says_so() -> None:
    """By any method, as any message."""
    async with run_server("collector", "ours-grpc=0") as server:
        async with grpc.aio.insecure_channel(server.addresses["ours-grpc"]) as channel:
            export: Any = channel.unary_unary("/any.Service/Export")
            assert await export(b"line mark=ours-grpc.5;") == b""
        counts = await server.finish()
    assert counts["lines"] == {"ours-grpc.5": 1}
    assert counts["bytes"]["ours-grpc"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("telemetry", ["simple", "batch"])
async def test_the_sdk_in_the_handler_sends_every_line(telemetry: str, tmp_path: Path) -> None:
    """By its own exporter, before the handler returns: nothing is left to the sandbox's end."""
    async with run_server("collector", "sdk=0") as server:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.addresses['sdk']}",
            "BENCHMARK_TELEMETRY": telemetry,
        }
        setup = Setup(name="sdk", extension="none", environ=environ)
        async with open_lane(tmp_path, setup) as lane:
            invoked = await lane.invoke({**IDLE_EVENT, "parts": 3, "lines": 7, "mark": "sdk.0"})
            counts = await server.finish()
    assert counts["lines"] == {"sdk.0": 7}
    assert invoked.answer["logged_s"] > 0


async def test_a_sink_answers_everybody() -> None:
    """Connections that are still open at the end leave no traceback behind."""
    async with run_server("sink") as server:
        host, _, port = server.addresses["sink"].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await server.finish() == {}
        writer.close()
        await writer.wait_closed()
