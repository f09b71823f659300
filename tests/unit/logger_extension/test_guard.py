"""What stands before the HTTP receivers: whom it lets in, how much it holds, how long it waits."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from http import HTTPStatus

import pytest

from logger_extension.receivers.guard import PATIENCE_TICKS, Guard, Limits
from logger_extension.receivers.request import Head, Response
from logger_extension.receivers.server import Server
from tests.support.raw_client import Client, connect, listen, until

LIMITS = Limits(max_connections=4, max_body_bytes=1_000, max_held_bytes=2_000, tick_s=0.01)
LENGTH_2 = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"


class Guarded:
    """An open server with an answer that keeps what it reads."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refused: Counter[str] = Counter()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.port = 0

    @property
    def guard(self) -> Guard:
        """The guard of the server."""
        return self.server._guard

    @asynccontextmanager
    async def serve(self, limits: Limits = LIMITS) -> AsyncIterator["Guarded"]:
        """Serve within limits."""
        self.server = Server({"/"}, self._answer, self._refuse, limits, self._count, "203.0.113.9")
        listener = listen()
        self.port = listener.getsockname()[1]
        await self.server.open(listener)
        try:
            yield self
        finally:
            await self.server.close()

    async def _answer(self, _: Head, body: bytes) -> Response:
        self.bodies.append(body)
        await self.may_answer.wait()
        return Response()

    def _refuse(self, _: Head, status: HTTPStatus) -> Response:
        return Response(status)

    def _count(self, reason: str) -> None:
        self.refused[reason] += 1


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    """Give an open server with small limits."""
    async with Guarded().serve() as guarded:
        yield guarded


# Who may connect.


def _own_address() -> str:
    """Return an address of this machine that is not loopback; skip where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("203.0.113.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address: str = sock.getsockname()[0]
        return address


async def test_a_peer_of_another_address_is_refused(guarded: Guarded) -> None:
    """It is closed before a byte of it is read, and counted once."""
    source = (_own_address(), 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port, local_addr=source)
    with closing(writer):
        assert await Client(reader, writer).wait_end() == b""
    assert guarded.refused == {"foreign_peer": 1}


async def test_every_address_of_this_machine_is_served(guarded: Guarded) -> None:
    """Whatever `sandbox.localdomain` resolves to: from that address to itself."""
    for host in (_own_address(), "127.0.0.2"):
        reader, writer = await asyncio.open_connection(host, guarded.port)
        with closing(writer):
            assert await Client(reader, writer).post() == 200


@pytest.mark.parametrize(
    ("peer", "own", "is_inside"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.9.9.9", "127.0.0.1", True),
        ("10.0.0.5", "10.0.0.5", True),
        ("169.254.100.1", "169.254.100.2", True),
        ("203.0.113.9", "10.0.0.5", True),
        ("10.0.0.6", "10.0.0.5", False),
        ("10.0.0.5", "127.0.0.1", False),
        ("198.51.100.7", "169.254.100.2", False),
    ],
    ids=["loopback", "loopback 2", "itself", "link", "api", "neighbour", "other own", "far"],
)
async def test_addresses(guarded: Guarded, peer: str, own: str, *, is_inside: bool) -> None:
    """This machine, Lambda's API and its link are inside."""
    assert guarded.guard._is_inside(peer, own) is is_inside


# How many.


async def test_the_longest_idle_gives_way(guarded: Guarded) -> None:
    """Those that never sent a request first: a connection that has served is kept for longest."""
    async with (
        connect(guarded.port) as served,
        connect(guarded.port) as first,
        connect(guarded.port) as second,
    ):
        assert await served.post() == 200
        async with connect(guarded.port) as third:
            assert await third.post() == 200
            async with connect(guarded.port) as fourth:
                assert await fourth.post() == 200
                assert await first.wait_end() == b""
                async with connect(guarded.port) as fifth:
                    assert await fifth.post() == 200
                    assert await second.wait_end() == b""
                    async with connect(guarded.port) as sixth:
                        assert await sixth.post() == 200
                        assert await served.wait_end() == b""
                        assert await third.post() == 200
    assert guarded.refused == {"too_many_connections": 3}


async def test_when_all_are_waited_for_a_new_one_is_closed(guarded: Guarded) -> None:
    """What was accepted is answered, however many come."""
    guarded.may_answer.clear()
    async with (
        connect(guarded.port) as one,
        connect(guarded.port) as two,
        connect(guarded.port) as three,
        connect(guarded.port) as four,
    ):
        waiting = [asyncio.create_task(each.post()) for each in (one, two, three, four)]
        await until(lambda: len(guarded.bodies) == 4)
        async with connect(guarded.port) as fifth:
            assert await fifth.wait_end() == b""
        guarded.may_answer.set()
        assert await asyncio.gather(*waiting) == [200] * 4
    assert guarded.refused == {"too_many_connections": 1}


async def test_a_stalled_request_gives_way() -> None:
    """Half a request that goes no further does not keep others out."""
    async with Guarded().serve(replace(LIMITS, max_connections=1, tick_s=0.05)) as guarded:
        async with connect(guarded.port) as stalled:
            assert await stalled.post() == 200
            await stalled.send(LENGTH_2 + b"[")
            ending = asyncio.create_task(stalled.wait_end())
            refused = 0
            while not ending.done():
                async with connect(guarded.port) as other:
                    refused += await other.post() == 0
                    await asyncio.sleep(0.01)
            assert refused
        async with connect(guarded.port) as other:
            assert await other.post() == 200


# For how long.


@pytest.mark.parametrize(
    "part",
    [
        b"P",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-",
        LENGTH_2,
        LENGTH_2 + b"[",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n",
        LENGTH_2 + b"[]" + LENGTH_2 + b"[",
    ],
    ids=["letter", "head", "no body", "half a body", "half the chunks", "second of two"],
)
async def test_half_a_request_is_cut(guarded: Guarded, part: bytes) -> None:
    """With all that it held; the next client is served."""
    async with connect(guarded.port) as slow, connect(guarded.port) as other:
        await slow.send(part)
        await slow.wait_end()
        assert guarded.refused == {"too_slow": 1}
        assert await other.post() == 200
        assert guarded.guard._held_bytes == 0


async def test_a_trickle_is_cut(guarded: Guarded) -> None:
    """A byte now and then gains no time."""
    async with connect(guarded.port) as slow:
        await slow.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n")
        ending = asyncio.create_task(slow.wait_end())
        while not ending.done():
            slow.writer.write(b"x")
            await asyncio.wait({ending}, timeout=LIMITS.tick_s / 2)
    assert guarded.refused == {"too_slow": 1}


async def test_a_freeze_is_no_slowness(guarded: Guarded) -> None:
    """The timer fires late, and what was half sent before the freeze comes whole after it."""
    async with connect(guarded.port) as client:
        await client.send(LENGTH_2 + b"[")
        for _ in range(3):
            time.sleep(2 * PATIENCE_TICKS * LIMITS.tick_s)  # noqa: ASYNC251  (it stands still)
            await asyncio.sleep(0)
        await client.send(b"]")
        assert await client.read_status() == 200
    assert guarded.refused == {}


async def test_an_idle_connection_is_kept(guarded: Guarded) -> None:
    """However long it sends nothing; and so is one whose answer we owe."""
    guarded.may_answer.clear()
    async with connect(guarded.port) as owed, connect(guarded.port) as idle:
        answer = asyncio.create_task(owed.post())
        async with connect(guarded.port) as slow:
            await slow.send(b"P")
            await slow.wait_end()  # so long have they been there
        assert not answer.done()
        guarded.may_answer.set()
        assert await answer == 200
        assert await idle.post() == 200


# How much.


async def test_a_body_too_large_is_refused_unread(guarded: Guarded) -> None:
    """Its length is enough."""
    async with connect(guarded.port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        assert await client.read_status() == 413
        assert await client.wait_end() == b""


async def test_chunks_without_end_are_refused(guarded: Guarded) -> None:
    """Where no length is told, the bytes that came are counted."""
    async with connect(guarded.port) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):
            await client.send(b"64\r\n" + b"x" * 100 + b"\r\n")
        assert await client.read_status() == 413
    assert guarded.bodies == []


async def test_what_is_held_together_is_bounded(guarded: Guarded) -> None:
    """The one that is too much is refused; those before it are taken."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 900\r\n\r\n"
    async with (
        connect(guarded.port) as one,
        connect(guarded.port) as two,
        connect(guarded.port) as three,
    ):
        for client in (one, two, three):
            await client.send(head)
            assert await client.read_status() == 100
        for client in (one, two):
            await client.send(b"x" * 899)
        await until(lambda: guarded.guard._held_bytes == 2 * 899)
        await three.send(b"x" * 900)
        assert await three.read_status() == 503
        for client in (one, two):
            await client.send(b"x")
            assert await client.read_status() == 200


async def test_the_stalled_make_room_for_a_body() -> None:
    """Bytes held by a request that goes no further are given up first."""
    half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 990
    async with Guarded().serve(replace(LIMITS, tick_s=0.05)) as guarded:
        async with connect(guarded.port) as one, connect(guarded.port) as two:
            await one.send(half)
            await two.send(half)
            statuses = []
            while 200 not in statuses:
                async with connect(guarded.port) as other:
                    statuses.append(await other.post(b"x" * 500))
                    await asyncio.sleep(0.01)
            assert await one.wait_end() == b""
        assert set(statuses) <= {0, 200, 503}


async def test_heads_are_bounded() -> None:
    """A line, a field, and how many of them."""
    for head in (
        b"POST /" + b"x" * 9_000 + b" HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nX-Long: " + b"x" * 9_000 + b"\r\n",
        b"POST / HTTP/1.1\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(150)),
    ):
        async with (
            Guarded().serve(replace(LIMITS, max_held_bytes=100_000)) as roomy,
            connect(roomy.port) as client,
        ):
            await client.send(head + b"Host: x\r\nContent-Length: 2\r\n\r\n[]")
            assert await client.read_status() == 400
            assert roomy.refused == {"malformed_request": 1}


async def test_closing_waits_for_nobody() -> None:
    """Half a request, and an answer that is owed, do not hold up the end."""
    async with Guarded().serve() as guarded:
        guarded.may_answer.clear()
        async with connect(guarded.port) as half, connect(guarded.port) as owed:
            await half.send(LENGTH_2 + b"[")
            answer = asyncio.create_task(owed.post())
            await until(lambda: bool(guarded.bodies))
            await guarded.server.close()
            assert await half.wait_end() == b""
            assert await answer == 0
