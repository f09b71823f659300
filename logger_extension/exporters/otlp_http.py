"""OTLP over HTTP: one POST, one outcome.

Owns the client session and its connections. Foreign exceptions end here: whatever happens to a
request becomes an `Outcome`. Must not know queues nor invocations, nor decide what is sent when.
https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import gzip
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from logger_extension import __version__
from logger_extension.policy.outcome import Outcome, Refused, Undelivered, read_answer

# An extension that dallies with its answer costs the user money; the spec asks for a bound (4 MiB).
MAX_ANSWER_BYTES = 4 * 1024 * 1024

# Level 1 costs a third of the default's CPU for a quarter more bytes.
GZIP_LEVEL = 1

USER_AGENT = f"logger-extension/{__version__} OTel-OTLP-Exporter-Python/{__version__}"


class OtlpHttpExporter:
    """Sends serialized requests of one signal to one URL.

    Args:
        signal: `logs` or `traces`.
        url: the whole URL.
        headers: extra headers, names in lower case.
        use_gzip: whether bodies are compressed.
        timeout_ms: the most that one request may take, 0 for no limit of its own.
    """

    def __init__(
        self,
        signal: str,
        url: str,
        headers: Mapping[str, str],
        *,
        use_gzip: bool,
        timeout_ms: int,
    ) -> None:
        self.signal = signal
        self._url = url
        self._headers = {
            "content-type": "application/x-protobuf",
            "user-agent": USER_AGENT,
            **headers,
        }
        self._use_gzip = use_gzip
        if use_gzip:
            self._headers["content-encoding"] = "gzip"
        self._timeout_s = timeout_ms / 1000 if timeout_ms else None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session; connections are made when they are needed."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            auto_decompress=True,
            # The environment's proxies are the user's standard setting.
            trust_env=True,
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
            await self._session.close()

    async def export(self, body: bytes) -> Outcome:
        """POST one serialized request.

        A connection that died while the sandbox was frozen is found out by its first use; the
        request is then made once more on a new one. The collector may have seen the first: at least
        once is what OTLP promises.
        """
        if self._use_gzip:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        for is_last in (False, True):
            try:
                return await self._post(body)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if is_last or not _is_stale(error):
                    return _explain(error)
        raise AssertionError("the last try returns")

    async def _post(self, body: bytes) -> Outcome:
        if self._session is None:
            return Undelivered("the exporter is not open")
        async with self._session.post(
            self._url, data=body, headers=self._headers, allow_redirects=False
        ) as response:
            answer = b""
            async for chunk in response.content.iter_chunked(MAX_ANSWER_BYTES):
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    return Refused("the collector's answer is longer than 4 MiB")
            location = response.headers.get("location", "")
            return read_answer(self.signal, response.status, answer, location)


def _is_stale(error: Exception) -> bool:
    """Return whether a kept connection died, as opposed to one that could not be made."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    return isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)


def _explain(error: Exception) -> Outcome:
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return Refused(f"the endpoint cannot be used: {error}")
    return Undelivered(str(error) or type(error).__name__)
