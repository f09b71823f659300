"""A collector on aiohttp's own server, which keeps requests as they came."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class HttpCollector:
    """Answers what it is given.

    Attributes:
        status: of every answer; `body` and `headers` likewise.
        requests: path, headers with names in lower case, and body of each request, inflated.
        tls: None for plain HTTP.
        port: where it listens.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    port: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve on a free port."""
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self.tls)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        # aiohttp inflates what it reads; what was on the wire is told by the header.
        self.requests.append((request.raw_path, headers, await request.read()))
        return web.Response(status=self.status, body=self.body, headers=self.headers)
