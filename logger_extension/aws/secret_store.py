"""The secrets that settings refer to: fetched once, all at a time, and kept.

Owns when they are fetched: all when the first is asked for, after that what is missing, with a
growing pause, and what may have been replaced, at most every five minutes. State: what was fetched.
A caller may be cancelled while it waits; the fetch goes on. Must not know what a secret is for.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping

import aiohttp

from logger_extension.authorities import trust_system
from logger_extension.aws.signature import Signer
from logger_extension.errors import AwsError
from logger_extension.policy.aws_endpoints import find_service_url
from logger_extension.policy.references import Reference, Secret, pick_value
from logger_extension.policy.secret_calls import Answers, Call, plan_calls, read_answers

TIMEOUT_S = 5.0

# The first try again is made at once: a freeze in the middle of a fetch breaks it.
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 60_000

# A rotated secret shows by a refusal of the collector; a wrong one does as well, each time.
RENEWAL_PAUSE_MS = 300_000

SNAP_START = "snap-start"


class SecretStore:
    """Fetches and keeps secrets.

    Args:
        environ: the environment of the process.

    Attributes:
        signer: signs what is sent to AWS.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.signer = Signer(environ)
        self._wanted: set[Secret] = set()
        self._texts: dict[Secret, str] = {}
        self._reasons: dict[Secret, str] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._failures = 0
        self._not_before_ms = 0.0
        self._fetched_ms = float("-inf")

    @property
    def is_before_snapshot(self) -> bool:
        """Whether a snapshot may be taken of this process (it cannot tell when that was)."""
        return self._environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == SNAP_START

    def want(self, references: Iterable[Reference]) -> None:
        """Note what will be needed."""
        self._wanted |= {each.secret for each in references}

    async def read(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return what references mean, fetched when it must be.

        Raises:
            AwsError: a secret cannot be had; names it.
        """
        references = list(references)
        self.want(references)
        if not self._texts.keys() >= {each.secret for each in references}:
            if _now_ms() >= self._not_before_ms:
                self._begin(self._wanted - self._texts.keys())
            await self._wait()
        return {each: self._pick(each) for each in references}

    async def renew(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return what references mean, fetched again unless that was done lately.

        Raises:
            AwsError: a secret cannot be had any more; names it.
        """
        references = list(references)
        if _now_ms() >= self._fetched_ms + RENEWAL_PAUSE_MS:
            self._begin({each.secret for each in references})
        await self._wait()
        return {each: self._pick(each) for each in references}

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await self._wait()

    def _begin(self, secrets: Iterable[Secret]) -> None:
        if self._fetching is None:
            self._fetched_ms = _now_ms()
            self._fetching = asyncio.get_running_loop().create_task(self._fetch(tuple(secrets)))
            self._fetching.add_done_callback(self._finish)

    async def _wait(self) -> None:
        if self._fetching is not None:
            await asyncio.wait({self._fetching})

    def _finish(self, fetching: asyncio.Task[None]) -> None:
        self._fetching = None
        is_lost = fetching.cancelled() or fetching.exception() is not None
        self._failures = self._failures + 1 if is_lost or self._reasons else 0
        self._not_before_ms = _now_ms() + _pause_ms(self._failures)

    def _pick(self, reference: Reference) -> str:
        secret = reference.secret
        if secret not in self._texts:
            reason = self._reasons.get(secret, "the fetch failed")
            raise AwsError(f"the secret {secret.name} cannot be read: {reason}")
        try:
            return pick_value(reference, self._texts[secret])
        except ValueError as error:
            raise AwsError(f"the secret {secret.name} {error}") from None

    async def _fetch(self, secrets: tuple[Secret, ...]) -> None:
        try:
            await self.signer.prepare()
        except AwsError as error:
            self._reasons = dict.fromkeys(secrets, str(error))
            return
        calls = plan_calls(secrets, self._environ.get("AWS_REGION", ""))
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(ssl=trust_system())
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=True
        ) as session:
            answers = await asyncio.gather(*(self._call(session, call) for call in calls))
        self._reasons = {}
        for each in answers:
            self._texts |= each.texts
            self._reasons |= each.reasons

    async def _call(self, session: aiohttp.ClientSession, call: Call) -> Answers:
        url = find_service_url(call.scope, self._environ)
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": call.operation}
        try:
            headers = await self.signer.sign(call.scope, url, headers, call.body)
            async with session.post(
                url, data=call.body, headers=headers, allow_redirects=False
            ) as response:
                return read_answers(call, response.status, await response.read())
        except AwsError as error:
            reason = str(error)
        except aiohttp.ClientConnectorError as error:
            reason = str(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Words of others may hold the URL or the request.
            reason = type(error).__name__
        return Answers(reasons=dict.fromkeys(call.secrets, reason))


def _pause_ms(failures: int) -> int:
    if failures <= 1:
        return 0
    return min(FIRST_PAUSE_MS << min(failures - 2, 10), LONGEST_PAUSE_MS)


def _now_ms() -> float:
    """Return the wall clock: what a freeze takes counts as well."""
    return time.time() * 1000
