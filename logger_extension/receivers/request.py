"""HTTP/1.1 requests as values: bytes to a head and a body, an answer to bytes (RFC 9112).

Owns the little of HTTP that a receiver on this machine needs, and takes it strictly: what two
readers could understand in two ways is refused. Must not know a socket, a clock, nor which paths
there are. Answers carry no `Date`: nobody keeps them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from logger_extension.errors import ProtocolError

MAX_HEAD_BYTES = 64 * 1024
MAX_LINE_BYTES = 8_190
MAX_FIELDS = 128
MAX_DIGITS = 15  # of a length, decimal or hexadecimal: more are none of this world

CRLF = b"\r\n"

# Sections 3 and 5. No part can match what the next one can: time is linear in the length.
HEAD = re.compile(
    rb"(?P<method>[A-Z]+) (?P<target>[!-~]+) HTTP/1\.(?P<minor>[01])\r\n"
    rb"(?P<fields>(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*)"
)
# What a head may be as long as it is not whole.
BEGINNING = re.compile(rb"[A-Z]+(?:\Z| [!-~]*(?:\Z| [!-~]*(?:\Z|\r\Z|\r\n)))")

# Twice, they would be two requests to two readers.
SINGLE = frozenset({"content-length", "host", "transfer-encoding"})


@dataclass(slots=True)  # frozen, it would take three times as long to make
class Head:
    """What stands before a body.

    Attributes:
        method: as sent.
        path: the target without its query.
        fields: by name in lower case; several of one name are joined by commas.
        length_bytes: of the body, None where it comes in chunks.
        is_last: whether the connection ends with this request.
    """

    method: str
    path: str
    fields: Mapping[str, str]
    length_bytes: int | None
    is_last: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the sender waits for leave to send the body (RFC 9110 section 10.1.1)."""
        return self.fields.get("expect", "").lower() == "100-continue"


@dataclass(slots=True)
class Response:
    """An answer.

    Attributes:
        status: what became of the request.
        body: may be empty.
        kind: its media type.
        fields: others, as lines.
    """

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = b""
    kind: str = ""
    fields: tuple[str, ...] = ()

    def write(self, *, is_last: bool) -> bytes:
        """Return its bytes, which say whether the connection ends with it."""
        if self is TAKEN and not is_last:
            return TAKEN_BYTES
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}", *self.fields]
        if self.kind:
            lines.append(f"Content-Type: {self.kind}")
        if is_last:
            lines.append("Connection: close")
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + self.body


# The answer that is given a thousand times.
TAKEN = Response()
TAKEN_BYTES = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def take_head(data: bytearray, seen_bytes: int = 0) -> Head | None:
    """Take a head off the front of what came, or return None while it is not whole.

    Args:
        data: what came and was not read yet.
        seen_bytes: how much of it was looked at before.

    Raises:
        ProtocolError: it is none, or larger than it may be.
    """
    while data.startswith(CRLF):  # section 2.2
        del data[:2]
        seen_bytes = 0
    end = data.find(b"\r\n\r\n", max(0, seen_bytes - 3))
    if end > MAX_HEAD_BYTES or (end < 0 and len(data) > MAX_HEAD_BYTES):
        raise ProtocolError("the head is too long")
    if end < 0:
        if data.rstrip(b"\r") and not BEGINNING.match(data):
            raise ProtocolError("not HTTP/1.1")
        return None
    head = bytes(data[: end + 2])
    del data[: end + 4]
    return _parse(head)


def _parse(data: bytes) -> Head:
    match = HEAD.fullmatch(data)
    if match is None:
        raise ProtocolError("not the head of a request")
    lines = match["fields"].decode("latin-1").split("\r\n")
    if len(lines) > MAX_FIELDS + 1:
        raise ProtocolError("the head has too many fields")
    if len(data) > MAX_LINE_BYTES and max(map(len, data.split(CRLF))) > MAX_LINE_BYTES:
        raise ProtocolError("a line of the head is too long")
    fields = _parse_fields(lines[:-1])
    is_of_1_0 = match["minor"] == b"0"
    length_bytes = _find_length(fields)
    if length_bytes is None if is_of_1_0 else "host" not in fields:
        raise ProtocolError("chunks in HTTP/1.0, or no Host in HTTP/1.1")
    return Head(
        match["method"].decode(),
        match["target"].decode().partition("?")[0],
        fields,
        length_bytes,
        is_of_1_0 or "close" in fields.get("connection", "").lower(),
    )


def _parse_fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in fields:
            if name in SINGLE:
                raise ProtocolError(f"two fields {name}")
            value = f"{fields[name]}, {value}"
        fields[name] = value
    return fields


def _find_length(fields: Mapping[str, str]) -> int | None:
    """Return the length of the body, None where it comes in chunks (section 6.3)."""
    length = fields.get("content-length")
    if (coding := fields.get("transfer-encoding")) is not None:
        if length is not None or coding.lower() != "chunked":
            raise ProtocolError("the body has two lengths, or a coding that is not known")
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit() and len(length) <= MAX_DIGITS):
        raise ProtocolError("not a length")
    return int(length)
