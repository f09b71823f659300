"""Connections to a collector whose making outlives the request that asked for one.

An invocation waits no longer than its budget for a collector. Where a name server, a far collector
and TLS together take longer than that, a connection that was given up with its request would never
come about. So a request may be cancelled while its connection is being made; the connection is made
all the same, and serves the next request. State: the connections being made. Must not know what is
sent over them.
"""

import asyncio
import ssl
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

# Most load balancers close idle connections after 60 s. A little less saves a handshake wherever
# invocations come about once a minute; what has been closed meanwhile is found out by its use.
KEEPALIVE_S = 55.0


class LastingConnector(aiohttp.TCPConnector):
    """A connector that finishes what it has begun."""

    def __init__(self) -> None:
        super().__init__(keepalive_timeout=KEEPALIVE_S)
        # What was given up by its request, and to where it leads.
        self._making: dict[asyncio.Task[Connection], object] = {}

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  (the library's own signature)
    ) -> Connection:
        """Return a connection: one from the pool, one that is being made, or a new one."""
        key = req.connection_key
        if earlier := {task for task, its_key in self._making.items() if its_key == key}:
            # When it is made it goes to the pool, or its error to nobody.
            await asyncio.wait(earlier, return_when=asyncio.FIRST_COMPLETED)
        making = asyncio.get_running_loop().create_task(super().connect(req, traces, timeout))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            self._making[making] = key
            making.add_done_callback(self._keep)
            raise

    async def connect_ahead(
        self,
        url: URL,
        tls: ssl.SSLContext | bool,  # noqa: FBT001  (the library's own type)
    ) -> None:
        """Put a connection into the pool.

        Raises:
            aiohttp.ClientError: it cannot be made.
        """
        loop = asyncio.get_running_loop()
        request = aiohttp.ClientRequest("POST", url, loop=loop, ssl=tls)
        connection = await self.connect(request, [], aiohttp.ClientTimeout())
        connection.release()

    def give_up(self) -> None:
        """End what is being made; to be called before the connector is closed."""
        for making in self._making:
            making.cancel()

    def _keep(self, made: asyncio.Task[Connection]) -> None:
        del self._making[made]
        if not made.cancelled() and made.exception() is None:
            made.result().release()
