"""Signatures of requests to AWS (SigV4), made by botocore.

Owns where botocore comes from: the layer's own packages, else those of Lambda's Python runtime.
Only its signer is used, its clients are slow to build. State: the credentials. Must not know what
is in a request. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

import asyncio
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logger_extension.aws.credentials import Credentials, CredentialSource
from logger_extension.errors import AwsError
from logger_extension.policy.aws_endpoints import Scope

# https://docs.aws.amazon.com/lambda/latest/dg/python-image.html: Python 3.11 and later, then older.
RUNTIME_PACKAGES = ("var/lang/lib/python3.*/site-packages", "var/runtime")


class Signer:
    """Signs POST requests with the function's credentials.

    Args:
        environ: the environment of the process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._source = CredentialSource(environ)
        self._last: Credentials | None = None
        self._botocore: tuple[Any, Any] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What was signed with and must not be told."""
        if self._last is None:
            return ()
        return (self._last.secret_key, self._last.token or "")

    async def prepare(self) -> None:
        """Load what is needed, so that the first signature does not wait for it.

        Raises:
            AwsError: there is no botocore, or there are no credentials.
        """
        await self._load()
        self._last = await self._source.get()

    async def sign(
        self, scope: Scope, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return the headers with which a body is to be posted.

        Args:
            scope: service and region.
            url: where it goes, as it is sent.
            headers: what shall be sent and signed.
            body: as it is sent: after compression.

        Raises:
            AwsError: there is no botocore, no region, or there are no credentials.
        """
        if not scope.region:
            raise AwsError("AWS_REGION is not set: nothing can be signed")
        auth, request_type = await self._load()
        self._last = await self._source.get()
        request = request_type(method="POST", url=url, headers=dict(headers), data=body)
        auth(self._last, scope.service, scope.region).add_auth(request)
        return dict(request.headers.items())

    async def _load(self) -> tuple[Any, Any]:
        if self._botocore is None:
            # 40 ms of CPU, many times that with little memory: events go on meanwhile.
            self._botocore = await asyncio.to_thread(_load_botocore)
        return self._botocore


def _load_botocore() -> tuple[Any, Any]:
    """Return the signer's class and the request's.

    Raises:
        AwsError: botocore is nowhere.
    """
    try:
        return _import_botocore()
    except ImportError:
        # At the end: what the layer has itself is not replaced.
        sys.path += [str(path) for each in RUNTIME_PACKAGES for path in Path("/").glob(each)]
        importlib.invalidate_caches()
    try:
        return _import_botocore()
    except ImportError as error:
        raise AwsError(
            "secrets and signatures need botocore, which is not here: use the layer with the aws"
            f" extra ({error})"
        ) from None


def _import_botocore() -> tuple[Any, Any]:
    from botocore.auth import SigV4Auth  # noqa: PLC0415  (40 ms)
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    return SigV4Auth, AWSRequest
