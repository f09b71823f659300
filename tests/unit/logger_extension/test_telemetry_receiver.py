"""The telemetry listener: adopted from the bootstrap, serving what waited and what comes."""

import _socket
import asyncio
import io
import os
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from logger_extension.bootstrap import Handoff
from logger_extension.receivers.telemetry_api import MAX_BODY_BYTES, TelemetryReceiver
from tests.support.raw_client import connect, until


def _listen() -> _socket.socket:
    """Return a listener as the bootstrap makes it: raw, blocking, bound to all addresses."""
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.bind(("0.0.0.0", 0))
    sock.listen(128)
    return sock


class Receiving:
    """A receiver on a raw listener, and what it was given."""

    def __init__(self, handoff: Handoff) -> None:
        self.port = handoff.listener.getsockname()[1] if handoff.listener else 0
        self.bodies: list[bytes] = []
        self.refused: list[str] = []
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.receiver = TelemetryReceiver(
            handoff,
            self.bodies.append,
            self.refused.append,
            has_room=self.has_room.is_set,
            wait_for_room=self._wait_for_room,
        )

    @property
    def url(self) -> str:
        """Where telemetry goes."""
        return f"http://127.0.0.1:{self.port}/"

    async def _wait_for_room(self) -> None:
        await self.has_room.wait()


@pytest.fixture
async def receiving() -> AsyncIterator[Receiving]:
    """Give a receiver that is not open yet; close it at the end."""
    handoff = Handoff("127.0.0.1:1", "e", b"")
    handoff.listener = _listen()
    receiving = Receiving(handoff)
    yield receiving
    await receiving.receiver.close()


async def test_a_listener_that_is_lost_is_opened_again(receiving: Receiving) -> None:
    """On the same port, as soon as the event loop stumbles over it: Lambda knows no other."""
    listener = receiving.receiver._listener
    assert listener is not None
    twin = socket.socket(fileno=os.dup(listener.fileno()))
    await receiving.receiver.open()
    stumbled = asyncio.Event()

    def stumble(*_: object) -> None:
        receiving.receiver.check()
        stumbled.set()

    asyncio.get_running_loop().set_exception_handler(stumble)
    keeping = asyncio.create_task(receiving.receiver.keep_open())
    assert await _post(receiving.url, b"before") == 200
    twin.shutdown(socket.SHUT_RDWR)
    twin.close()
    await stumbled.wait()
    await until(lambda: receiving.receiver._server.is_listening)
    assert await _post(receiving.url, b"after") == 200
    assert receiving.bodies == [b"before", b"after"]
    keeping.cancel()


async def test_a_fault_of_another_kind_changes_nothing(receiving: Receiving) -> None:
    """The listener that is there stays."""
    receiving.receiver.check()
    await receiving.receiver.open()
    receiving.receiver.check()
    assert not receiving.receiver._is_lost.is_set()
    assert await _post(receiving.url, b"body") == 200


async def _post(url: str, body: bytes) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=io.BytesIO(body)) as response,
    ):
        return response.status


async def test_a_body_is_taken_and_answered(receiving: Receiving) -> None:
    """200 once it is handed on."""
    await receiving.receiver.open()
    assert await _post(receiving.url, b"[]") == 200
    assert receiving.bodies == [b"[]"]


async def test_connections_made_before_the_adoption_are_served(receiving: Receiving) -> None:
    """The kernel has kept them, requests and all."""
    early = []
    for number in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: sandbox.localdomain\r\nContent-Length: 2\r\n\r\n%02d"
            % number
        )
        await writer.drain()
        early.append((reader, writer))
    await receiving.receiver.open()
    for reader, writer in early:
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.close()
        await writer.wait_closed()
    assert sorted(receiving.bodies) == [b"%02d" % number for number in range(20)]


async def test_the_answer_waits_for_room(receiving: Receiving) -> None:
    """The body is taken at once, and answered when there is room for the next one."""
    await receiving.receiver.open()
    receiving.has_room.clear()
    answer = asyncio.create_task(_post(receiving.url, b"[]"))
    await until(lambda: receiving.bodies == [b"[]"])
    assert not answer.done()
    receiving.has_room.set()
    assert await answer == 200
    assert receiving.refused == []


async def test_bodies_behind_one_that_waits_are_taken_in_their_turn(receiving: Receiving) -> None:
    """Sent without waiting for the answer, they are read when it is given."""
    await receiving.receiver.open()
    receiving.has_room.clear()
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d"
    async with connect(receiving.port) as client:
        await client.send(post % 1 + post % 2)
        await until(lambda: receiving.bodies == [b"1"])
        await client.send(post % 3)
        for _ in range(10):
            await asyncio.sleep(0)
        assert receiving.bodies == [b"1"]
        receiving.has_room.set()
        assert [await client.read_status() for _ in range(3)] == [200] * 3
    assert receiving.bodies == [b"1", b"2", b"3"]


async def test_who_has_gone_is_not_waited_for(receiving: Receiving) -> None:
    """What was taken stays taken; the end comes without room too."""
    await receiving.receiver.open()
    receiving.has_room.clear()
    async with connect(receiving.port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]")
        await until(lambda: receiving.bodies == [b"[]"])
    async with connect(receiving.port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        await until(lambda: len(receiving.bodies) > 1)
        await receiving.receiver.close()
        assert await client.wait_end() == b""


async def test_ten_mebibytes_are_taken(receiving: Receiving) -> None:
    """Far more than Lambda announces."""
    await receiving.receiver.open()
    body = bytes(range(256)) * 4096 * 10
    assert await _post(receiving.url, body) == 200
    assert receiving.bodies == [body]


async def test_the_largest_body_is_taken(receiving: Receiving) -> None:
    """The bound itself is still inside."""
    await receiving.receiver.open()
    assert await _post(receiving.url, bytes(MAX_BODY_BYTES)) == 200
    assert [len(body) for body in receiving.bodies] == [MAX_BODY_BYTES]


async def test_what_is_too_large_is_refused_and_counted(receiving: Receiving) -> None:
    """And the next body is taken."""
    await receiving.receiver.open()
    assert await _post(receiving.url, bytes(MAX_BODY_BYTES + 1)) == 413
    assert receiving.bodies == []
    assert receiving.refused == ["body_too_large"]
    assert await _post(receiving.url, b"[]") == 200


async def test_many_at_once_are_all_taken(receiving: Receiving) -> None:
    """Each body once."""
    await receiving.receiver.open()
    bodies = [b"%d" % number * 10_000 for number in range(100)]
    statuses = await asyncio.gather(*(_post(receiving.url, body) for body in bodies))
    assert statuses == [200] * len(bodies)
    assert sorted(receiving.bodies) == sorted(bodies)


async def test_a_body_in_chunks_is_taken_whole(receiving: Receiving) -> None:
    """However it is sent."""
    await receiving.receiver.open()

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number

    async with (
        aiohttp.ClientSession() as session,
        session.post(receiving.url, data=pieces()) as response,
    ):
        assert response.status == 200
    assert receiving.bodies == [b"01234"]


async def test_a_body_that_breaks_off_is_not_taken(receiving: Receiving) -> None:
    """Lambda will send it again; half of it is worth nothing."""
    await receiving.receiver.open()
    _reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await _post(receiving.url, b"whole") == 200
    assert receiving.bodies == [b"whole"]
    assert receiving.refused == []


async def test_bytes_that_are_no_request_harm_nobody(receiving: Receiving) -> None:
    """Anything in the sandbox can connect."""
    await receiving.receiver.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
    writer.write(b"\x16\x03\x01 not HTTP at all\r\n\r\n")
    await writer.drain()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert await _post(receiving.url, b"[]") == 200


async def test_other_methods_and_paths_are_no_telemetry(receiving: Receiving) -> None:
    """Only POST to the subscribed path is."""
    await receiving.receiver.open()
    async with aiohttp.ClientSession() as session:
        async with session.get(receiving.url) as response:
            assert response.status == 405
        async with session.post(f"{receiving.url}v1/logs", data=b"x") as response:
            assert response.status == 404
    assert receiving.bodies == []


async def test_without_a_listener_nothing_is_served() -> None:
    """Where no telemetry will come there is nothing to adopt."""
    receiving = Receiving(Handoff("127.0.0.1:1", "e", b""))
    await receiving.receiver.open()
    await receiving.receiver.close()


async def test_after_the_end_the_port_is_free(receiving: Receiving) -> None:
    """A successor of this process needs it."""
    await receiving.receiver.open()
    assert await _post(receiving.url, b"[]") == 200
    await receiving.receiver.close()
    with socket.socket() as successor:
        successor.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        successor.bind(("0.0.0.0", receiving.port))
