"""`logger-extension demo --web`: the page in which the demo's telemetry is seen.

Owns which port it has and how long it stays. Apart from `demo`, which needs no database.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from logger_extension_cli.errors import UsageError
from logger_extension_cli.screen import Screen
from logger_extension_cli.signals import catch_end
from logger_extension_cli.view import describe_address, make_collector, open_database
from otlp_viewer import Collector, ListenError, Store

DEFAULT_PORT = 4319
_HOST = "127.0.0.1"


@asynccontextmanager
async def open_page(port: int | None) -> AsyncIterator[Collector]:
    """Yield a receiver that shows what it gets; without a port on 4319, else on any free one.

    Raises:
        UsageError: the port that was asked for cannot be listened on.
    """
    async with AsyncExitStack() as stack:
        database = stack.enter_context(open_database(None, None))

        async def listen(chosen: int) -> Collector:
            collector = make_collector(database, _HOST, chosen, store=Store())
            return await stack.enter_async_context(collector)

        try:
            collector = await listen(DEFAULT_PORT if port is None else port)
        except ListenError as error:
            if port is not None:
                raise UsageError(str(error)) from error
            collector = await listen(0)
        yield collector


async def show_page(screen: Screen, collector: Collector) -> None:
    """Say where the page is, and return when a signal ends it."""
    end = catch_end()
    screen.head("In your browser")
    screen.say(describe_address(collector.endpoint))
    screen.say("Ctrl-C ends it.")
    await end.wait()
