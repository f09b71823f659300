"""The other side of a signature: what a service computes from a request as it came.

Written from the specification alone, so that a misunderstanding cannot hide on both sides.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from urllib.parse import quote

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), SignedHeaders=(?P<names>[^,]+),"
    r" Signature=(?P<signature>[0-9a-f]{64})"
)


def read_head(head: str) -> tuple[str, str, dict[str, str]]:
    """Return method, target and headers of a request, names in lower case."""
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return method, target, headers


def verify(head: str, body: bytes, secret_key: str) -> tuple[str, str, frozenset[str]]:
    """Return access key, `date/region/service/aws4_request` and the signed headers.

    Raises:
        AssertionError: the signature is not that of this request.
    """
    method, target, headers = read_head(head)
    match = AUTHORIZATION.fullmatch(headers["authorization"])
    assert match is not None, "no signature"
    path, _, query = target.partition("?")
    names = match["names"].split(";")
    canonical = "\n".join(
        [
            method,
            quote(path, safe="/~"),
            "&".join(
                sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair)
            ),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names),
            "",
            match["names"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], match["scope"], digest])
    key = f"AWS4{secret_key}".encode()
    for part in match["scope"].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.digest(key, text.encode(), "sha256").hex() == match["signature"]
    return match["key"], match["scope"], frozenset(names)
