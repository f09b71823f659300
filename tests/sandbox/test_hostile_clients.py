"""Clients that mean no good, on both ports of the running whole: the function does not notice."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support.raw_client import Client, connect
from tests.support.whole import Whole, run_whole

INVOCATIONS = 12
LINES = 20
MEBIBYTE = 1024 * 1024

Attack = Callable[[Client], Awaitable[None]]


async def _stay(client: Client) -> None:
    await client.wait_end()


async def _send_half_a_head(client: Client) -> None:
    await client.send(b"POST / HTTP/1.1\r\nX-Half: ")
    await client.wait_end()


async def _send_half_a_body(client: Client) -> None:
    await client.send(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 9_000
    )
    await client.wait_end()


async def _trickle(client: Client) -> None:
    await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    ending = asyncio.create_task(client.wait_end())
    while not ending.done():
        client.writer.write(b"1\r\nx\r\n")
        await asyncio.wait({ending}, timeout=0.05)


async def _send_garbage(client: Client) -> None:
    await client.send(b"\x16\x03\x01\x02\x00" + bytes(range(256)) * 20)
    await client.wait_end()


async def _pipeline_without_reading(client: Client) -> None:
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]  # of asyncio's streams
    while not client.writer.is_closing():
        await client.send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        await asyncio.sleep(0)


async def _upload_too_much(client: Client) -> None:
    await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not client.writer.is_closing():
        await client.send(b"10000\r\n" + bytes(65_536) + b"\r\n")


ATTACKS = {
    "idle": _stay,
    "half a head": _send_half_a_head,
    "half a body": _send_half_a_body,
    "trickle": _trickle,
    "garbage": _send_garbage,
    "pipelining": _pipeline_without_reading,
    "upload": _upload_too_much,
}


async def _repeat(attack: Attack, port: int) -> None:
    """Attack on one connection after the other, for ever."""
    while True:
        with suppress(OSError):
            async with connect(port) as client:
                await attack(client)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _attacked(attacks: list[Attack], ports: list[int], each: int) -> AsyncIterator[None]:
    """Run so many clients of each attack at each port."""
    tasks = [
        asyncio.create_task(_repeat(attack, port))
        for port in ports
        for attack in attacks
        for _ in range(each)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def _check_under(whole: Whole, attacks: list[Attack], ports: list[int], each: int) -> None:
    """Every invocation succeeds, no line is lost, the process lives and stays small."""
    assert (await whole.sandbox.invoke(b'{"lines": ["before"]}')).status == "success"
    pid = whole.python_pid()
    assert pid is not None
    async with _attacked(attacks, ports, each):
        for number in range(INVOCATIONS):
            lines = [f"{number}-{line}" for line in range(LINES)]
            result = await whole.sandbox.invoke(json.dumps({"lines": lines}).encode())
            assert result.status == "success", result
        assert whole.python_pid() == pid
        peak_bytes = _peak_bytes(pid)
    assert (await whole.sandbox.invoke(b'{"lines": ["after"]}')).status == "success"
    await whole.sandbox.shutdown()
    sent = [f"{number}-{line}" for number in range(INVOCATIONS) for line in range(LINES)]
    # A line may come twice: the collector shares its CPU with the clients, and a request that it
    # does not answer in time is sent again.
    assert set(whole.bodies()) == {"before", *sent, "after"}
    assert peak_bytes < 160 * MEBIBYTE
    # One line a fault at most: what was refused stands in the last one, by reason.
    assert len(whole.stderr) <= 3, whole.stderr


@asynccontextmanager
async def _open_whole(folder: Path, port: int) -> AsyncIterator[tuple[Whole, list[int]]]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        otlp_port = sock.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as sock:
        grpc_port = sock.getsockname()[1]
    environ = {
        "LOGGER_EXTENSION_TELEMETRY_PORT": str(port),
        "LOGGER_EXTENSION_OTLP_RECEIVER": "on",
        "LOGGER_EXTENSION_OTLP_PORT": str(otlp_port),
        "LOGGER_EXTENSION_OTLP_GRPC_PORT": str(grpc_port),
    }
    async with run_whole(folder, environ=environ) as whole:
        yield whole, [port, otlp_port]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_each(tmp_path: Path, unused_port: int, attack: Attack) -> None:
    """Twenty clients of one kind at each port."""
    async with _open_whole(tmp_path, unused_port) as (whole, ports):
        await _check_under(whole, [attack], ports, each=20)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_all_at_once(tmp_path: Path, unused_port: int) -> None:
    """More clients than there may be connections, of all kinds."""
    async with _open_whole(tmp_path, unused_port) as (whole, ports):
        await _check_under(whole, list(ATTACKS.values()), ports, each=25)
