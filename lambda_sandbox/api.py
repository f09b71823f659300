"""The HTTP server behind AWS_LAMBDA_RUNTIME_API.

Owns the listening socket and the form of refusals (contract sections 1 and 2). The routes
themselves are in `extensions_api`, `telemetry_api` and `runtime_api`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lambda_sandbox.errors import ApiError, SandboxEndedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY_BYTES = 6 * 1024 * 1024 + 100
STATUS_OK = {"status": "OK"}


def json_response(
    document: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A JSON body that ends with a line feed, as Lambda's do."""
    text = json.dumps(document, separators=(",", ":")) + "\n"
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


async def read_body(request: web.Request) -> bytes:
    """Read a request body of at most MAX_BODY_BYTES.

    Raises:
        ApiError: 413 `RequestEntityTooLarge`.
    """
    body = bytearray()
    async for chunk in request.content.iter_chunked(256 * 1024):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(
                413,
                "RequestEntityTooLarge",
                f"Exceeded maximum allowed payload size ({MAX_BODY_BYTES} bytes).",
            )
    return bytes(body)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into the form that Lambda gives them."""
    try:
        return await handler(request)
    except ApiError as error:
        document = {"errorMessage": error.message, "errorType": error.error_type}
        return json_response(document, status=error.status)
    except SandboxEndedError as error:
        # Whoever asked has been killed, or is about to be.
        return web.Response(status=500, text=str(error))
    except web.HTTPNotFound:
        return web.Response(status=404, text="404 page not found\n")
    except web.HTTPMethodNotAllowed as refusal:
        return web.Response(status=405, headers={"Allow": refusal.headers["Allow"]})


class ApiServer:
    """Serves routes on a loopback address, on any free port."""

    def __init__(self, routes: Iterable[web.RouteDef]) -> None:
        application = web.Application(middlewares=[_refusals])
        application.add_routes([web.get("/2018-06-01/ping", _ping), *routes])
        # Handlers are not cancelled when a client goes away: in Lambda the event/next of a killed
        # process stays pending and swallows the next event.
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0.5, handler_cancellation=False
        )

    async def start(self, host: str) -> str:
        """Listen; return `host:port`."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0)
        await site.start()
        bound_host, port = self._runner.addresses[0][:2]
        return f"{bound_host}:{port}"

    async def stop(self) -> None:
        """Close the listener and all connections."""
        await self._runner.cleanup()


async def _ping(_request: web.Request) -> web.Response:
    return web.Response(text="pong")
