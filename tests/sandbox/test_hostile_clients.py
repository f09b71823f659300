"""Clients that mean no good, on both ports of the running whole: the function does not notice."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support import hostile_clients
from tests.support.whole import Whole, run_whole

INVOCATIONS = 12
LINES = 20
MEBIBYTE = 1024 * 1024


@asynccontextmanager
async def _attacked(attacks: Iterable[str], ports: Iterable[int], each: int) -> AsyncIterator[None]:
    """Run so many clients of each attack at each port."""
    words = [",".join(attacks), str(each), *map(str, ports)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, hostile_clients.__file__, *words, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield
        assert process.returncode is None
    finally:
        process.kill()
        await process.wait()


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def _check_under(
    whole: Whole, attacks: Iterable[str], ports: Iterable[int], each: int
) -> None:
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
    # A line may come twice: the collector shares the CPU with the clients, and a request that it
    # does not answer in time is sent again.
    assert set(whole.bodies()) == {"before", *sent, "after"}
    assert peak_bytes < 128 * MEBIBYTE
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
    # A timeout would be the doing of a machine that is busy with the clients.
    async with run_whole(folder, environ=environ, scenario={"timeout_ms": 20_000}) as whole:
        yield whole, [port, otlp_port]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("attack", hostile_clients.ATTACKS)
async def test_each(tmp_path: Path, unused_port: int, attack: str) -> None:
    """Twenty clients of one kind at each port."""
    async with _open_whole(tmp_path, unused_port) as (whole, ports):
        await _check_under(whole, [attack], ports, each=20)


@pytest.mark.timeout(60)
async def test_all_at_once(tmp_path: Path, unused_port: int) -> None:
    """More clients than there may be connections, of all kinds."""
    async with _open_whole(tmp_path, unused_port) as (whole, ports):
        await _check_under(whole, hostile_clients.ATTACKS, ports, each=25)
