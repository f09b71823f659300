"""Server-sent events over real sockets."""

import asyncio

import aiohttp

from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.viewer_rows import make_log
from tests.support.web_pages import serve_pages


async def _read_event(response: aiohttp.ClientResponse) -> str:
    """Return the data of the next event."""
    while line := await response.content.readline():
        if line.startswith(b"data: "):
            return line[6:].decode().strip()
    return ""


def _connections() -> set[asyncio.Task[object]]:
    """Return the tasks of the server's connections."""
    return {task for task in asyncio.all_tasks() if "RequestHandler.start" in repr(task)}


async def test_a_stream_tells_at_once_and_with_each_change(
    pages: PageReader, database: Database
) -> None:
    """The first event is the state of now, so nothing is missed between page and stream."""
    async with pages.session.get(pages.endpoint + "/live") as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        before = await _read_event(response)
        database.add_logs([make_log()])
        after = await _read_event(response)
        assert int(after) > int(before)


async def test_many_changes_are_few_events(pages: PageReader, database: Database) -> None:
    """The last event says the last version, however many came in between."""
    async with pages.session.get(pages.endpoint + "/live") as response:
        first = int(await _read_event(response))
        for _ in range(50):
            database.add_logs([make_log()])
        events = [int(await _read_event(response))]
        while events[-1] < first + 50:
            events.append(int(await _read_event(response)))
        assert len(events) <= 3


async def test_readers_that_leave_leave_nothing(pages: PageReader) -> None:
    """Many tabs, closed without a word."""
    responses = [await pages.session.get(pages.endpoint + "/live") for _ in range(20)]
    for response in responses:
        await _read_event(response)
    connections = _connections()
    assert len(connections) == 20
    for response in responses:
        response.close()
    _, left = await asyncio.wait(connections, timeout=10)
    assert not left


async def test_streams_end_with_the_server(database: Database) -> None:
    """At once, and with an end that a browser understands."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(10):
        async with serve_pages(database) as collector:
            response = await session.get(f"{collector.endpoint}/live")
            await _read_event(response)
        assert (await response.content.read()).strip() == b""
    assert not _connections()
