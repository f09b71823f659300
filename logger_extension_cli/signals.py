"""The signals that end a command which would go on for ever."""

import asyncio
import signal


def catch_end() -> asyncio.Event:
    """Return what is set by Ctrl-C or SIGTERM, instead of what these would do, in this loop."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    return end
