"""Connections to a collector whose making outlives the request that asked for one.

An invocation waits no longer than its budget for a collector. Where a name server, a far collector
and TLS together take longer than that, a connection that was given up with its request would never
come about. So a request may be cancelled while its connection is being made; the connection is made
all the same, and serves the next request. State: the connections being made. Must not know what is
sent over them.
"""

import asyncio
import ssl
from collections.abc import Hashable
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
        self._making: dict[Hashable, asyncio.Task[Connection]] = {}

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  (the library's own signature)
    ) -> Connection:
        """Return a connection: one from the pool, one that is being made, or a new one."""
        key = req.connection_key
        if (earlier := self._making.get(key)) is not None:
            # Given up by its request, it goes to the pool when it is made, or its error to nobody.
            await asyncio.wait({earlier})
        making = asyncio.get_running_loop().create_task(super().connect(req, traces, timeout))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            self._making[key] = making
            making.add_done_callback(lambda made: self._keep(key, made))
            raise

    async def connect_ahead(self, url: URL, tls: ssl.SSLContext | bool) -> None:
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
        for making in self._making.values():
            making.cancel()

    def _keep(self, key: Hashable, made: asyncio.Task[Connection]) -> None:
        self._making.pop(key, None)
        if not made.cancelled() and made.exception() is None:
            made.result().release()
