"""What must not be told, and what is told in its place.

Owns which parts of settings are secrets: values of headers, the user and the query of an address,
AWS credentials, and what references mean. State: all that is known of these so far. Must not know
where a text is printed.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, quote, unquote

from logger_extension.errors import ConfigError
from logger_extension.policy.aws_endpoints import LOGS_HEADERS
from logger_extension.policy.concealment import conceal
from logger_extension.policy.references import MARK, REFERENCE
from logger_extension.settings.headers import parse_headers

MASKED = "***"

# Headers whose values are no secrets, and may stand in what a collector answers.
PLAIN_HEADERS = frozenset({*LOGS_HEADERS, "accept", "user-agent"})

# The word before a key is no secret, and collectors answer with it.
AUTH_SCHEME = re.compile(r"(?:bearer|basic|token|api-?key)\s+", re.IGNORECASE)

# A shorter value of a query tells what is asked for rather than who asks.
LEAST_QUERY_VALUE = 4

# Only so long a text is looked for in sentences of our own, which repeat no secret on purpose:
# a shorter one stands in any of them by chance.
LEAST_HIDDEN = 8

# Characters for private use stand in for references.
FIRST_HOLE = 0xE000

CREDENTIALS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)


class Masking:
    """Knows the secrets of an environment, and those that it is told.

    Args:
        environ: the function's environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._secrets: set[str] = set()
        self.learn(environ.get(name, "") for name in CREDENTIALS)
        for name, value in environ.items():
            if _holds_headers(name):
                self.learn(_find_header_secrets(name, value))
            elif _holds_address(name):
                self.learn(_find_address_secrets(value))

    def learn(self, secrets: Iterable[str]) -> None:
        """Note more of them."""
        for secret in secrets:
            text = AUTH_SCHEME.sub("", secret.strip(), count=1).strip()
            self._secrets |= {text} if text else set()

    def learn_sent(self, headers: Mapping[str, str], address: str) -> None:
        """Note the secrets of headers and of an address in which no reference is left."""
        self.learn(_find_values(headers))
        self.learn(_find_address_secrets(address))

    def mask_value(self, name: str, value: str) -> str:
        """Return what is told of a variable's value."""
        if _holds_headers(name):
            return _mask_headers(name, value)
        if _holds_address(name):
            return mask_address(value)
        return value if self.repeat(value) == value else MASKED

    def repeat(self, words: str) -> str:
        """Return words of others, or that they are not repeated since they hold a secret."""
        return conceal(words, self._secrets)

    def hide(self, sentence: str) -> str:
        """Return a sentence of our own with each secret masked, however it came there."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            if len(secret) >= LEAST_HIDDEN:
                quoted = (quote(secret, safe, errors="surrogateescape") for safe in ("/", ""))
                for spelling in {secret, *quoted, unquote(secret)}:
                    sentence = sentence.replace(spelling, MASKED)
        return sentence


def mask_address(text: str) -> str:
    """Return an address with user, query and fragment masked; a reference elsewhere stays."""
    # A reference may hold the marks by which an address is divided.
    holes = {chr(FIRST_HOLE + n): each for n, each in enumerate(REFERENCE.split(text)[1::2])}
    names = iter(holes)
    plain = REFERENCE.sub(lambda _: next(names), text)
    # What looks like the end of the host may stand in a password: the last @ counts.
    user, at, rest = plain.rpartition("@")
    scheme, slashes, _ = user.partition("://")
    begin = f"{scheme + slashes if slashes else ''}{MASKED}@" if at else ""
    end = re.search(r"[?#]", rest)
    masked = begin + (f"{rest[: end.end()]}{MASKED}" if end else rest)
    for hole, reference in holes.items():
        masked = masked.replace(hole, reference)
    return masked


def _mask_headers(name: str, text: str) -> str:
    try:
        headers = parse_headers(name, text, is_grpc=False)
    except ConfigError:
        return MASKED
    return ",".join(mask_headers(headers))


def mask_headers(headers: Mapping[str, str]) -> list[str]:
    """Return `name=value` of each header, its value masked; references stay."""
    return [f"{header}={_mask_header(header, value)}" for header, value in headers.items()]


def _mask_header(header: str, value: str) -> str:
    if header in PLAIN_HEADERS:
        return value
    parts = REFERENCE.split(value)
    return "".join(part if MARK.match(part) else MASKED for part in parts if part)


def _find_header_secrets(name: str, text: str) -> Iterator[str]:
    try:
        headers = parse_headers(name, text, is_grpc=False)
    except ConfigError:
        # Whatever stands behind an equals sign may be one.
        yield from (unquote(pair.partition("=")[2] or pair) for pair in text.split(","))
        return
    yield from _find_values(headers)


def _find_values(headers: Mapping[str, str]) -> Iterator[str]:
    for header, value in headers.items():
        if header not in PLAIN_HEADERS:
            yield from (part for part in REFERENCE.split(value) if not MARK.match(part))
            yield from _decode_basic(value)


def _decode_basic(value: str) -> Sequence[str]:
    """Return user and password of basic authentication (RFC 7617); collectors name them."""
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        return ()
    try:
        return b64decode(encoded).decode().split(":", 1)
    except ValueError:
        return ()


def _find_address_secrets(text: str) -> Iterator[str]:
    plain = "".join(part for part in REFERENCE.split(text) if not MARK.match(part))
    user, at, rest = plain.partition("://")[2].rpartition("@")
    if not at:
        user, _, rest = plain.rpartition("@")
    yield from (unquote(part) for part in user.split(":"))
    if user:  # as HTTP sends it
        yield b64encode(unquote(user).encode("latin-1", "replace")).decode()
    query = rest.partition("?")[2].partition("#")[0]
    values = [value or name for name, value in parse_qsl(query, keep_blank_values=True)]
    yield from (value for value in values if len(value) >= LEAST_QUERY_VALUE)


def _holds_headers(name: str) -> bool:
    return name.upper().endswith("_HEADERS")


def _holds_address(name: str) -> bool:
    return name.upper().endswith(("ENDPOINT", "_PROXY")) or "ENDPOINT_URL" in name.upper()
