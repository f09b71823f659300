"""`logger-extension collector`: the viewer alone, live until Ctrl-C.

Everything that arrives is printed once, in order of arrival.
"""

import argparse
import asyncio

from logger_extension_cli.errors import UsageError
from logger_extension_cli.screen import Screen
from logger_extension_cli.signals import catch_end
from otlp_viewer import Collector, ListenError, Store
from otlp_viewer.view import render_arrivals


def execute(arguments: argparse.Namespace) -> int:
    """Receive and print until a signal comes; return the exit code."""
    try:
        asyncio.run(_collect(arguments.host, arguments.port, Screen()))
    except ListenError as error:
        raise UsageError(str(error)) from error
    return 0


async def _collect(host: str, port: int, screen: Screen) -> None:
    end = catch_end()
    async with Collector(host, port) as collector:
        screen.say(f"Listening on {collector.endpoint} for OTLP over HTTP; Ctrl-C ends it.")
        printer = _Printer(collector.store, screen)
        printing = asyncio.create_task(printer.follow())
        await end.wait()
        printing.cancel()
        await asyncio.wait([printing])
    printer.print_new()
    screen.head("What arrived")
    if collector.store.invocations():
        screen.show_invocations(collector.store)
    screen.show_summary(collector)


class _Printer:
    """Prints each row of a store once; its state is how many it has printed."""

    def __init__(self, store: Store, screen: Screen) -> None:
        self._store = store
        self._screen = screen
        self._seen = store.received

    async def follow(self) -> None:
        """Print what arrives, for ever."""
        while True:
            await self._store.wait_for(lambda store: store.received != self._seen, timeout_s=None)
            self.print_new()

    def print_new(self) -> None:
        """Print what has arrived since the last time."""
        arrivals = self._store.since(self._seen)
        self._seen = self._store.received
        if any((arrivals.logs, arrivals.spans, arrivals.metrics)):
            self._screen.console.print(render_arrivals(arrivals))
