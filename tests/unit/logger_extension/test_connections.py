"""Connections whose making outlives the request that asked for one. The sockets are real."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from logger_extension.exporters.connections import LastingConnector
from tests.support.raw_server import RawServer, respond

Address = tuple[Any, ...]


async def _answer(
    server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while True:
        await server.read_request(reader)
        writer.write(respond(b"") + b"")
        await writer.drain()


class NameServer:
    """Answers when it is told to: the slow part of making a connection.

    Attributes:
        error: what it answers instead of an address.
    """

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._may_answer = asyncio.Event()
        self.error: OSError | None = None

    async def getaddrinfo(self, _host: str, port: int, **_kind: Any) -> list[Address]:
        """Return 127.0.0.1, in the end."""
        self._asked.set()
        await self._may_answer.wait()
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    async def wait_asked(self) -> None:
        """Wait until somebody has asked."""
        await self._asked.wait()

    def answer(self) -> None:
        """Answer from now on."""
        self._may_answer.set()


class Scene:
    """A session with our connector, a collector, and a name server between them.

    Attributes:
        complaints: what the event loop complained of: exceptions that nobody has taken.
    """

    def __init__(self, server: RawServer, names: NameServer) -> None:
        self.server = server
        self.names = names
        self.connector = LastingConnector()
        self.session = aiohttp.ClientSession(connector=self.connector)
        self.url = URL(f"http://collector.test:{server.port}/v1/logs")
        self.complaints: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: self.complaints.append(str(context["message"]))
        )

    async def post(self) -> int:
        """Send one request; return the status."""
        async with self.session.post(self.url, data=b"request") as response:
            await response.read()
            return response.status

    async def post_and_give_up(self, times: int = 1) -> None:
        """Cancel requests whose connections are being made."""
        requests = [asyncio.create_task(self.post()) for _ in range(times)]
        await self.names.wait_asked()
        for request in requests:
            request.cancel()
        outcomes = await asyncio.gather(*requests, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)

    async def wait_made(self) -> None:
        """Wait until no connection is being made any more, and those that were are put away."""
        while (making := self.find_making()) or self.connector._making:
            if making:
                await asyncio.wait(making)
            await asyncio.sleep(0)

    def find_making(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that make connections."""
        return [task for task in asyncio.all_tasks() if "BaseConnector.connect()" in repr(task)]

    def find_complaints(self) -> list[str]:
        """Return what nobody has taken, when all that is not needed is gone."""
        gc.collect()
        return self.complaints


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Return a scene; at its end nothing of it is left."""
    names = NameServer()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    async with RawServer(_answer) as server:
        scene = Scene(server, names)
        yield scene
        scene.connector.give_up()
        await scene.session.close()


async def test_a_connection_is_made_although_its_request_was_given_up(scene: Scene) -> None:
    """And serves the next one."""
    await scene.post_and_give_up()
    scene.names.answer()
    await scene.wait_made()
    assert await scene.post() == 200
    assert scene.server.connections == 1
    assert len(scene.server.requests) == 1
    assert scene.find_complaints() == []


async def test_the_next_request_waits_for_the_connection_that_is_being_made(scene: Scene) -> None:
    """Making another would take as long, and cost the collector one more."""
    await scene.post_and_give_up()
    request = asyncio.create_task(scene.post())
    await asyncio.sleep(0)
    scene.names.answer()
    assert await request == 200
    assert scene.server.connections == 1


async def test_one_budget_after_the_other_a_connection_comes_about(scene: Scene) -> None:
    """However many requests were given up meanwhile."""
    for _ in range(5):
        await scene.post_and_give_up()
    scene.names.answer()
    assert await scene.post() == 200
    assert scene.server.connections == 1


async def test_an_error_of_a_connection_that_nobody_waits_for_goes_to_nobody(scene: Scene) -> None:
    """The next request has its own, and one after it may succeed."""
    scene.names.error = OSError("no such name")
    await scene.post_and_give_up()
    scene.names.answer()
    await scene.wait_made()
    assert scene.find_complaints() == []
    with pytest.raises(aiohttp.ClientConnectorError):
        await scene.post()
    scene.names.error = None
    assert await scene.post() == 200
    assert scene.find_complaints() == []


async def test_an_error_is_the_requests_own_when_it_waits(scene: Scene) -> None:
    """Nothing is made a secret of."""
    scene.names.error = OSError("no such name")
    scene.names.answer()
    with pytest.raises(aiohttp.ClientConnectorError):
        await scene.post()
    assert scene.find_complaints() == []


async def test_a_connection_ahead_waits_in_the_pool(scene: Scene) -> None:
    """The first request finds it there."""
    scene.names.answer()
    await scene.connector.connect_ahead(scene.url, tls=True)
    assert await scene.post() == 200
    assert scene.server.connections == 1


async def test_a_connection_ahead_that_cannot_be_made_is_an_error(
    scene: Scene, unused_port: int
) -> None:
    """For the caller, who knows whether that matters."""
    scene.names.answer()
    with pytest.raises(aiohttp.ClientConnectorError):
        await scene.connector.connect_ahead(URL(f"http://127.0.0.1:{unused_port}/"), tls=True)
    assert scene.find_complaints() == []


@pytest.mark.parametrize("steps", range(12))
async def test_a_connection_ahead_may_be_cut_off_anywhere(scene: Scene, steps: int) -> None:
    """No connection is lost by it: one comes about, and it is used."""
    scene.names.answer()
    connecting = asyncio.create_task(scene.connector.connect_ahead(scene.url, tls=True))
    for _ in range(steps):
        await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await scene.wait_made()
    assert not scene.connector._acquired
    assert await scene.post() == 200
    assert scene.server.connections == 1
    assert scene.find_complaints() == []


async def test_a_request_that_finds_a_connection_may_be_cut_off_as_well(scene: Scene) -> None:
    """One that is in the pool goes back to it."""
    scene.names.answer()
    assert await scene.post() == 200
    for steps in range(8):
        connecting = asyncio.create_task(scene.connector.connect_ahead(scene.url, tls=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await scene.wait_made()
        assert not scene.connector._acquired
    assert await scene.post() == 200
    assert scene.server.connections == 1


@pytest.mark.parametrize("times", [1, 3])
async def test_what_is_being_made_ends_with_the_session(scene: Scene, times: int) -> None:
    """At SHUTDOWN nobody waits for a name server; nothing is left, nothing is complained of."""
    await scene.post_and_give_up(times)
    assert len(scene.find_making()) == times
    scene.connector.give_up()
    await scene.wait_made()
    await scene.session.close()
    scene.names.answer()
    assert scene.server.connections == 0
    assert scene.find_complaints() == []
