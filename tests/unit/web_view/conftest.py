"""Pages over a database in memory, served on a free port."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.web_pages import serve_pages


@pytest.fixture
def database() -> Iterator[Database]:
    """An empty one."""
    with Database() as database:
        yield database


@pytest.fixture
async def pages(database: Database) -> AsyncIterator[PageReader]:
    """The pages over `database`."""
    async with serve_pages(database) as collector, aiohttp.ClientSession() as session:
        yield PageReader(collector.endpoint, session)
