"""Lambda's API as a script: answers exactly what a test says, bytes and delays included.

For what the real API does not do on command (refuse, hang, close early). Everything that Lambda
does do is tested against `lambda_sandbox` and AWS's emulator.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

IDENTIFIER = "8f7d1c9e-0d6f-4c7e-9a43-2f1b6a0c5d11"
REGISTERED = b'{"functionName":"fn","functionVersion":"$LATEST","handler":"app.handler"}\n'


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request, int], Awaitable[bytes | None]]


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return the bytes of a response."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def registered() -> bytes:
    """Return Lambda's answer to a registration."""
    return answer(200, REGISTERED, f"Lambda-Extension-Identifier: {IDENTIFIER}")


def shutdown() -> bytes:
    """Return a SHUTDOWN event, far enough from its deadline."""
    event = {"eventType": "SHUTDOWN", "shutdownReason": "spindown", "deadlineMs": 4_102_444_800_000}
    return answer(200, json.dumps(event, separators=(",", ":")).encode())


def invoke() -> bytes:
    """Return an INVOKE event."""
    event = {"eventType": "INVOKE", "requestId": "r", "deadlineMs": 4_102_444_800_000}
    return answer(200, json.dumps(event, separators=(",", ":")).encode())


def refused(state: str = "Ready to Ready") -> bytes:
    """Return the 403 of a call that the extension's state does not allow."""
    message = f"State transition from {state} failed for extension x. Error: not allowed"
    body = {"errorMessage": message, "errorType": "Extension.InvalidExtensionState"}
    return answer(403, json.dumps(body).encode())


class ScriptedApi:
    """Serves on a free port; `requests` holds what came, in order.

    Args:
        script: gives the answer to a request and how many came to the same path before it; None
            closes the connection without one.
    """

    def __init__(self, script: Answer) -> None:
        self._script = script
        self._seen: Counter[str] = Counter()
        self._news = asyncio.Condition()
        self._serving: set[asyncio.Task[None]] = set()
        self.requests: list[Request] = []

    async def __aenter__(self) -> Self:
        """Begin to serve."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection, answered or not."""
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def paths(self) -> list[str]:
        """Return the last part of each request's path, in order."""
        return [request.path.rpartition("/")[2] for request in self.requests]

    async def wait_for(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.requests) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while (request := await _read(reader)) is not None:
                before = self._seen[request.path]
                self._seen[request.path] += 1
                async with self._news:
                    self.requests.append(request)
                    self._news.notify_all()
                response = await self._script(request, before)
                if response is None:
                    return
                writer.write(response)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            self._serving.discard(task)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)
