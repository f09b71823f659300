"""A program whose connections mean no good: `hostile_clients.py ATTACK[,ATTACK…] EACH PORT…`.

So many clients of each attack at each port, one connection after the other, until it is killed; it
says `ready` when all have begun. A process of its own: it must not slow down what it is tested on
more than the CPU it takes.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.raw_client import Client, connect

PAUSE_S = 0.02

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


ATTACKS: Mapping[str, Attack] = {
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
        await asyncio.sleep(PAUSE_S)


async def _main(attacks: list[Attack], each: int, ports: list[int]) -> None:
    async with asyncio.TaskGroup() as group:
        for port in ports:
            for attack in attacks:
                for _ in range(each):
                    group.create_task(_repeat(attack, port))
        await asyncio.sleep(PAUSE_S)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    names, clients, *targets = sys.argv[1:]
    chosen = [ATTACKS[name] for name in names.split(",")]
    asyncio.run(_main(chosen, int(clients), [int(port) for port in targets]))
