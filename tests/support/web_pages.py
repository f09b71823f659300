"""The pages of the web view over a database, served as the commands serve them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import web_view
from otlp_viewer import Collector
from otlp_viewer.database import Database


@asynccontextmanager
async def serve_pages(database: Database) -> AsyncIterator[Collector]:
    """Serve the pages and receive telemetry, in the loop of the test."""
    async with Collector(
        also=[database], extend=lambda app: web_view.extend(app, database)
    ) as collector:
        yield collector


@contextmanager
def serve_pages_aside(database: Database) -> Iterator[str]:
    """Serve them in a thread, for a test that blocks; yield the address."""
    started, ended = threading.Event(), asyncio.Event()
    found: dict[str, str] = {}
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serve_pages(database) as collector:
            found["endpoint"] = collector.endpoint
            started.set()
            await ended.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            # Else a test whose server cannot start would wait for it.
            started.set()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=run, name="pages")
    thread.start()
    try:
        started.wait()
        yield found["endpoint"]
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)
        thread.join()
