"""The listener that Lambda posts telemetry to.

Owns the listening socket, which the bootstrap bound before anything could serve it. A body is
taken, handed on and answered 200; it is read later, because Lambda waits for the answer
(https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html). Must not know what a body holds.
"""

import socket
from collections.abc import Callable

from aiohttp import web

from logger_extension.bootstrap import Handoff

# Lambda sends up to twice `maxBytes` (262,144) plus metadata. More is not Lambda's.
MAX_BODY_BYTES = 16 * 1024 * 1024


class TelemetryReceiver:
    """Serves the adopted listener.

    Args:
        handoff: holds the listener.
        accept: takes one whole body; must not block and must not raise.
        refuse: told of a body that was not taken, with the reason.
    """

    def __init__(
        self, handoff: Handoff, accept: Callable[[bytes], None], refuse: Callable[[str], None]
    ) -> None:
        self._listener = handoff.listener
        self._accept = accept
        self._refuse = refuse
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/", self._receive)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0)

    async def open(self) -> None:
        """Begin to serve; the kernel has kept what came before."""
        if self._listener is None:
            return
        await self._runner.setup()
        sock = socket.socket(fileno=self._listener.detach())
        self._listener = None
        sock.settimeout(0)
        await web.SockSite(self._runner, sock).start()

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._refuse("body_too_large")
            raise
        self._accept(body)
        return web.Response()
