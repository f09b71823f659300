"""The variables that hold headers: `name=value,…`, percent-encoded, values perhaps by reference.

Owns how a list of headers is taken apart without breaking a reference, and which headers a protocol
takes. A value may be a secret, so errors tell the variable and the place of a pair only. Must not
know signals nor what a header is for.
"""

import re
from string import ascii_lowercase, digits
from urllib.parse import unquote

from logger_extension.environment import read_pairs
from logger_extension.errors import ConfigError
from logger_extension.policy.references import BEGIN, MARK, REFERENCE, split_references

# A comma inside a reference parts nothing.
PAIR = re.compile(rf"(?:{BEGIN}[^{{}}]*\}}\}}|[^,])+")

# https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata"
METADATA_NAME = frozenset(ascii_lowercase + digits + "_-.")


def parse_headers(variable: str, text: str, *, is_grpc: bool) -> dict[str, str]:
    """Return the headers that a variable holds, names in lower case, references as they are.

    Raises:
        ConfigError: not a list of headers, or not what the protocol takes, or a malformed
            reference.
    """
    try:
        pairs = read_pairs(PAIR.findall(text), _decode)
    except ValueError as error:
        raise ConfigError(f"{variable} is not key=value,…: {error}") from None
    headers = {key.lower(): value for key, value in pairs.items()}
    for place, (name, value) in enumerate(headers.items(), 1):
        try:
            split_references(value)
        except ValueError as error:
            raise ConfigError(f"{variable}: pair {place}: {error}") from None
        check_header(f"{variable}: pair {place}", name, value, is_grpc=is_grpc)
    return headers


def check_header(origin: str, name: str, value: str, *, is_grpc: bool) -> None:
    """Raise ConfigError, without the value, for what the protocol does not take.

    Args:
        origin: where the header comes from, for the message.
        name: in lower case.
        value: decoded.
        is_grpc: whether it is to be metadata of gRPC.
    """
    if not _is_token(name) or not value.isprintable():
        raise ConfigError(f"{origin} is not usable as an HTTP header")
    if is_grpc and not _is_metadata(name, value):
        raise ConfigError(f"{origin} is not usable as metadata of gRPC")


def _decode(value: str) -> str:
    """Decode what stands around references: inside them nothing is encoded."""
    return "".join(
        part if MARK.match(part) else unquote(part, errors="strict")
        for part in REFERENCE.split(value)
    )


def _is_token(name: str) -> bool:
    """Return whether a name is an HTTP token (RFC 9110 section 5.6.2)."""
    return bool(name) and all(c.isascii() and (c.isalnum() or c in "!#$%&'*+-.^_`|~") for c in name)


def _is_metadata(name: str, value: str) -> bool:
    """Return whether gRPC takes a pair: ASCII only, no binary header, no name of its own."""
    is_reserved = name.startswith("grpc-") or name.endswith("-bin")
    return METADATA_NAME.issuperset(name) and value.isascii() and not is_reserved
