"""An exporter whose target needs AWS first: secrets to be fetched, requests to be signed.

Owns the wait for secrets, the second try with a renewed one, and that none of them is told. State:
the exporter that was opened with what was fetched. Must not know protocols nor how secrets come.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Protocol, Self

from logger_extension.aws.secret_store import SecretStore
from logger_extension.errors import AwsError, ConfigError
from logger_extension.policy.concealment import conceal
from logger_extension.policy.outcome import Delivered, Outcome, Refused, Undelivered
from logger_extension.policy.references import Reference
from logger_extension.settings.export import Target
from logger_extension.settings.resolution import resolve

DENIED = re.compile(r"(HTTP 40[13]|gRPC (UNAUTHENTICATED|PERMISSION_DENIED))\b")


class OpenableExporter(Protocol):
    """What is opened once the target is known."""

    async def __aenter__(self) -> Self:
        """Open it."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""

    async def connect(self) -> bool:
        """Make a connection ahead of the first request; return whether that succeeded."""

    async def export(self, body: bytes) -> Outcome:
        """Send one serialized request."""


class ResolvingExporter:
    """Sends as another exporter does, from the moment on when its target is known.

    Args:
        target: where and how, perhaps with references to secrets.
        store: fetches them.
        make: makes the exporter for a target without references.
    """

    def __init__(
        self, target: Target, store: SecretStore, make: Callable[[Target], OpenableExporter]
    ) -> None:
        self._target = target
        self._store = store
        self._make = make
        self._references = target.references
        self._values: Mapping[Reference, str] = {}
        self._inner: OpenableExporter | None = None
        self._stack = AsyncExitStack()
        store.want(self._references)

    async def __aenter__(self) -> Self:
        """Nothing is waited for here: the start is not held up."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections, and end a fetch: a store is needed no longer than its targets."""
        self._inner = None
        await self._store.close()
        await self._stack.aclose()

    async def connect(self) -> bool:
        """Fetch what is missing and connect; return whether that succeeded.

        Not under SnapStart: what is fetched before the snapshot would be in it, and grow old there.
        """
        if self._store.is_before_snapshot:
            return False
        try:
            await self._store.signer.prepare()
            inner = await self._open(await self._store.read(self._references))
        except (AwsError, ConfigError):
            return False  # the first request will say why
        return await inner.connect()

    async def export(self, body: bytes) -> Outcome:
        """Send one serialized request; while a secret is missing, keep it.

        A collector that denies access may have got a new key: the secret is fetched once more, and
        if it has changed, the request is made again.
        """
        try:
            outcome = await self._export(body)
        except (AwsError, ConfigError) as error:
            return Undelivered(str(error))
        secrets = (*self._values.values(), *self._store.signer.secrets)
        if isinstance(outcome, Delivered):
            return outcome._replace(message=conceal(outcome.message, secrets))
        return outcome._replace(reason=conceal(outcome.reason, secrets))

    async def _export(self, body: bytes) -> Outcome:
        values = self._values
        if self._inner is None:
            values = await self._store.read(self._references)
        outcome = await (await self._open(values)).export(body)
        if not (self._references and isinstance(outcome, Refused) and DENIED.match(outcome.reason)):
            return outcome
        renewed = await self._store.renew(self._references)
        return outcome if renewed == values else await (await self._open(renewed)).export(body)

    async def _open(self, values: Mapping[Reference, str]) -> OpenableExporter:
        """Return the exporter for these values.

        One that is replaced stays open until the end: another request may be on its way through it,
        and secrets change rarely.
        """
        if self._inner is None or values != self._values:
            inner = self._make(resolve(self._target, values))
            self._inner = await self._stack.enter_async_context(inner)
            self._values = values
        return self._inner
