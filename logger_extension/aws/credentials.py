"""The function's credentials: from the environment, or from the address that it names.

Owns when they are asked for again. State: the last ones that came from the address. The variables
are Lambda's own: functions on demand find credentials there, those with SnapStart an address on
this machine, since credentials inside a snapshot would be old ones. Must not know what is signed.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import orjson

from logger_extension.authorities import trust_system
from logger_extension.errors import AwsError

ADDRESS, TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"

TIMEOUT_S = 2.0

# The service has new ones before the old ones end; so long before, they are asked for.
REFRESH_AHEAD_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What signatures are made with; `repr` tells nothing of it.

    Attributes:
        access_key: the id of the key.
        secret_key: the key.
        token: of the session, None without one.
        expires_s: seconds since 1970, infinite when nobody tells.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    expires_s: float = float("inf")


class CredentialSource:
    """Gives credentials that are good for now.

    Args:
        environ: the environment of the process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._last: Credentials | None = None

    async def get(self) -> Credentials:
        """Return the credentials; old ones only while they still hold and no new ones can be had.

        Raises:
            AwsError: there are none.
        """
        environ = self._environ
        if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
            return Credentials(
                access_key=environ["AWS_ACCESS_KEY_ID"],
                secret_key=environ["AWS_SECRET_ACCESS_KEY"],
                token=environ.get("AWS_SESSION_TOKEN") or None,
            )
        now_s = time.time()
        if self._last is not None and now_s < self._last.expires_s - REFRESH_AHEAD_S:
            return self._last
        try:
            self._last = await self._ask()
        except AwsError:
            if self._last is None or now_s >= self._last.expires_s:
                raise
        return self._last

    async def _ask(self) -> Credentials:
        address = self._environ.get(ADDRESS)
        if not address:
            raise AwsError(f"there are no credentials: neither AWS_ACCESS_KEY_ID nor {ADDRESS}")
        headers = {"Authorization": token} if (token := self._environ.get(TOKEN)) else {}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(ssl=trust_system())
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get(address, headers=headers, allow_redirects=False) as response,
            ):
                body = await response.read()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its words may hold the address.
            raise AwsError(f"{ADDRESS} gives no credentials: {type(error).__name__}") from None
        if response.status != 200:  # noqa: PLR2004  (no other answer has any)
            raise AwsError(f"{ADDRESS} gives no credentials: HTTP {response.status}")
        try:
            return _read(orjson.loads(body))
        except (ValueError, TypeError, LookupError):
            raise AwsError(f"{ADDRESS} gives no credentials: the answer has none") from None


def _read(answer: dict[str, str]) -> Credentials:
    expires = datetime.fromisoformat(answer["Expiration"])
    return Credentials(
        access_key=answer["AccessKeyId"],
        secret_key=answer["SecretAccessKey"],
        token=answer["Token"],
        expires_s=expires.replace(tzinfo=expires.tzinfo or UTC).timestamp(),
    )
