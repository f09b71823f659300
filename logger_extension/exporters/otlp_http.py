"""OTLP over HTTP, in protobuf or JSON: one POST, one outcome.

Owns the client session. Foreign exceptions end here: whatever happens to a request becomes an
`Outcome`. Must not know queues nor invocations, nor decide what is sent when or how long it may
take: the caller cancels what takes too long. https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import asyncio
import gzip
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
from google.protobuf.message import DecodeError as ProtobufDecodeError
from yarl import URL

from logger_extension import __version__
from logger_extension.authorities import trust_system
from logger_extension.exporters.connections import LastingConnector
from logger_extension.exporters.tls import load_context
from logger_extension.policy.outcome import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    Outcome,
    Refused,
    Undelivered,
    is_success,
    read_answer,
)
from logger_extension.settings.export import HTTP_JSON, HTTP_PROTOBUF, Target
from logger_extension.signals.otlp_json import transcode

CONTENT_TYPES = {HTTP_PROTOBUF: "application/x-protobuf", HTTP_JSON: "application/json"}

# Level 1 costs a third of the default's CPU for a quarter more bytes.
GZIP_LEVEL = 1

USER_AGENT = f"logger-extension/{__version__} OTel-OTLP-Exporter-Python/{__version__}"

MAX_REASON = 200

# Less is compressed sooner than a thread has begun.
ASIDE_FROM_BYTES = 16 * 1024

# The URL, the headers and the body as sent, to the headers that it is sent with.
Sign = Callable[[str, Mapping[str, str], bytes], Awaitable[Mapping[str, str]]]

# What tells where a request ends is not the user's to say.
FRAMING = frozenset({"content-length", "transfer-encoding"})


class HttpExporter:
    """Sends serialized requests of one signal to one URL.

    Args:
        target: where and how.
        compresses_aside: whether a thread compresses, beside the event loop.
        sign: adds a signature to each request.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """

    def __init__(
        self, target: Target, *, compresses_aside: bool = False, sign: Sign | None = None
    ) -> None:
        self._target = target
        self._compresses_aside = compresses_aside
        self._sign = sign
        # True is aiohttp's word for "if any"; what redirects to TLS is not followed.
        self._ssl = load_context(target) or (True if target.insecure else trust_system())
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session; connections are made when they are needed."""
        self._connector = LastingConnector()
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            headers=_make_headers(self._target),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=True,
            # The environment's proxies are the user's standard setting. To look for one takes
            # a thread at each request.
            trust_env=_has_proxy(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            self._connector.give_up()
            await self._session.close()
            self._session = None

    @property
    def _url(self) -> URL:
        """Where requests go.

        Raises:
            ValueError: it is no URL; that is what `export` says then.
        """
        # "Used as is": quoting is undone or redone only where characters could not be sent.
        return URL(self._target.url, encoded=self._target.url.isascii())

    async def connect(self) -> bool:
        """Make a connection ahead of the first request; return whether that succeeded."""
        if self._session is None or _has_proxy():
            return False
        try:
            await self._connector.connect_ahead(self._url, self._ssl)
        except (aiohttp.ClientError, OSError, ValueError):
            return False  # the first request will say why
        return True

    async def export(self, body: bytes) -> Outcome:
        """POST one serialized request.

        A connection that died while the sandbox was frozen is found out by its first use; the
        request is then made once more on a new one. The collector may have seen the first: at least
        once is what OTLP promises.
        """
        if self._target.protocol == HTTP_JSON:
            try:
                body = transcode(self._target.signal, body)
            except ProtobufDecodeError:
                return Refused("not a request of OTLP: it cannot be turned into JSON")
        if len(body) > MAX_REQUEST_BYTES:
            return Refused("the request is longer than 64 MiB")
        if self._target.compression == "gzip":
            body = await self._compress(body)
        for is_last in (False, True):
            try:
                return await self._post(body)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                # aiohttp's errors form cycles: what they hold stays until garbage is collected.
                error.__traceback__ = None
                if is_last or not _is_stale(error):
                    return _explain(error)
        raise AssertionError("the last try returns")

    async def _compress(self, body: bytes) -> bytes:
        if self._compresses_aside and len(body) >= ASIDE_FROM_BYTES:
            return await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL, mtime=0)
        return gzip.compress(body, GZIP_LEVEL, mtime=0)

    async def _post(self, body: bytes) -> Outcome:
        if self._session is None:
            return Undelivered("the exporter is not open")
        headers: Mapping[str, str] | None = None
        if self._sign is not None:
            headers = await self._sign(self._target.url, self._session.headers, body)
        # Closed, it lets go of the body, whoever keeps the request.
        with BytesIO(body) as data:
            async with self._session.post(
                self._url, data=data, headers=headers, allow_redirects=False, ssl=self._ssl
            ) as response:
                return await _read(response)


async def _read(response: aiohttp.ClientResponse) -> Outcome:
    answer = b""
    async for chunk in response.content.iter_chunked(MAX_ANSWER_BYTES):
        answer += chunk
        if len(answer) > MAX_ANSWER_BYTES:
            if is_success(response.status):
                return Refused("the collector's answer is longer than 4 MiB")
            break
    return read_answer(response.status, response.headers, answer, time.time() * 1000)


def _make_headers(target: Target) -> dict[str, str]:
    headers = {"user-agent": USER_AGENT, **target.headers}
    headers["content-type"] = CONTENT_TYPES[target.protocol]
    headers.pop("content-encoding", None)
    if target.compression == "gzip":
        headers["content-encoding"] = "gzip"
    return {name: value for name, value in headers.items() if name not in FRAMING}


def _has_proxy() -> bool:
    return any(name.lower().endswith("_proxy") for name in os.environ)


def _is_stale(error: Exception) -> bool:
    """Return whether a kept connection died, as opposed to one that could not be made."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    return isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)


def _explain(error: Exception) -> Outcome:
    # The URL, which some of these errors name, may hold a key: it is not told.
    match error:
        case aiohttp.InvalidURL():
            return Refused("the endpoint cannot be used: it is no URL")
        case aiohttp.ClientResponseError():
            return Undelivered(f"the answer cannot be used: {error.message}"[:MAX_REASON])
        # An unverified certificate is a ValueError and an OSError; it may be mended over there.
        case ValueError() if not isinstance(error, OSError):
            return Refused("the endpoint cannot be used, or a header")
    return Undelivered((str(error) or type(error).__name__)[:MAX_REASON])
