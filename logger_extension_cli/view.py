"""`logger-extension view`: an OTLP backend with a page for the browser, until Ctrl-C.

Owns the order in which the database, the receiver and the page are opened and closed, and what is
said of it. What the page shows is `web_view`'s.
"""

import argparse
import asyncio
import webbrowser
from dataclasses import replace
from pathlib import Path

from logger_extension_cli.errors import UsageError
from logger_extension_cli.screen import Screen
from logger_extension_cli.signals import catch_end
from otlp_viewer import Collector, Counts, Limits, ListenError, Store, ViewerError
from otlp_viewer.database import DEFAULT_LIMITS, Database
from web_view import extend

# What the receiver keeps beside the database: nothing reads it here.
_NOTHING = Limits(max_rows=1, max_bytes=1)


def execute(arguments: argparse.Namespace) -> int:
    """Receive and show until a signal comes; return the exit code.

    Raises:
        UsageError: the file or the address cannot be used.
    """
    asyncio.run(_view(arguments, Screen()))
    return 0


def open_database(path: Path | None, max_rows: int | None) -> Database:
    """Return the store, in memory without a path.

    Raises:
        UsageError: the file cannot be used; the message says why.
    """
    limits = DEFAULT_LIMITS
    if max_rows is not None:
        limits = replace(limits, max_rows=max_rows)
    try:
        return Database(path, limits)
    except ViewerError as error:
        raise UsageError(str(error)) from error


def make_collector(
    database: Database, host: str, port: int, *, store: Store | None = None
) -> Collector:
    """Return a receiver that fills the database and shows the page; `store` gets the same rows."""
    return Collector(
        host,
        port,
        store=store or Store(_NOTHING),
        also=[database],
        extend=lambda app: extend(app, database),
    )


def describe_address(endpoint: str) -> str:
    """Return where to look and how to send, for a person."""
    return (
        f"The page: {endpoint}\n"
        "To send to it:\n"
        f"  OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\n"
        "  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    )


async def _view(arguments: argparse.Namespace, screen: Screen) -> None:
    end = catch_end()
    place = arguments.file or "memory"
    with open_database(arguments.file, arguments.max_rows) as database:
        try:
            async with make_collector(database, arguments.host, arguments.port) as collector:
                screen.say(describe_address(collector.endpoint))
                screen.say(f"Kept in {place}. Ctrl-C ends it.")
                if arguments.open and not await asyncio.to_thread(
                    webbrowser.open, collector.endpoint
                ):
                    screen.say("No browser could be opened here: open the page yourself.")
                await end.wait()
        except ListenError as error:
            raise UsageError(
                f"{error}: --port 0 takes any free one; or end what listens there"
            ) from error
        screen.say(f"\nReceived: {_describe(database.received)}")
        if database.evicted != Counts():
            screen.say(f"The oldest made room: {_describe(database.evicted)}", style="yellow")
    screen.say(f"Saved in {place}." if arguments.file else "It was in memory, and is gone.")


def _describe(counts: Counts) -> str:
    return f"{counts.logs:,} logs, {counts.spans:,} spans, {counts.metrics:,} data points"
