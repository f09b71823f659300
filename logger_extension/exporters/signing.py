"""The signature of a target's requests, in the shape in which an exporter asks for it.

Owns nothing but that shape. Must not know how a signature is made.
"""

from collections.abc import Mapping

from logger_extension.aws.signature import Signer
from logger_extension.exporters.otlp_http import Sign
from logger_extension.settings.export import Target


def make_signer(target: Target, signer: Signer) -> Sign | None:
    """Return what signs a target's requests, None when they go unsigned.

    What is returned raises AwsError when there are no credentials, or no botocore.
    """
    scope = target.scope
    if scope is None:
        return None

    async def sign(url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        return await signer.sign(scope, url, headers, body)

    return sign
