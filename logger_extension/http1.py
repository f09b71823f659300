"""HTTP/1.1 as values: requests to bytes, bytes to a response (RFC 9112).

Owns the little of HTTP that the calls to Lambda's own API need: no body larger than Lambda sends,
no trailers, no redirects. Must not know a socket, a clock, or which call it serves. The bootstrap
uses it before anything heavy is imported, hence neither `re` nor `json` nor `dataclasses` here.
"""

from logger_extension.errors import ProtocolError

# Lambda's answers are a few hundred bytes; a peer that sends more is not Lambda.
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024 * 1024
MAX_DIGITS = 10


class Response:
    """One complete answer: status code, headers with lower-case names, body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: "dict[str, str]", body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may carry another request (RFC 9112 section 9.3)."""
        return self.headers.get("connection", "").lower() != "close"


def write_request(
    method: str,
    path: str,
    host: str,
    headers: "tuple[tuple[str, str], ...]" = (),
    body: bytes = b"",
) -> bytes:
    """Return the bytes of one request; `Content-Length` is added when there is a body."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class ResponseReader:
    """Collects bytes of one response until it is whole.

    State: the bytes so far. Feed it what the socket gave, `b""` for the end of the stream.
    """

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> "Response | None":
        """Take more bytes; return the response once it is whole.

        Raises:
            ProtocolError: the bytes are not HTTP, too many, or end too early.
        """
        self._data += data
        head_end = self._data.find(b"\r\n\r\n")
        if max(head_end, 0 if head_end >= 0 else len(self._data)) > MAX_HEAD_BYTES:
            raise ProtocolError("the head of the response is too long")
        if head_end < 0:
            if not data:
                raise ProtocolError("the connection closed before the head of the response")
            return None
        status, headers = _parse_head(self._data[:head_end])
        body = _read_body(self._data[head_end + 4 :], headers, ended=not data)
        return None if body is None else Response(status, headers, body)


def _parse_head(head: bytes) -> "tuple[int, dict[str, str]]":
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit()):
        raise ProtocolError(f"not an HTTP/1 response: {first[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(f"not a header line: {line[:80]!r}")
        headers[name.strip().lower()] = value.strip()
    return int(code), headers


def _read_body(data: bytes, headers: "dict[str, str]", *, ended: bool) -> "bytes | None":
    """Return the body when it is whole, None when more bytes are needed."""
    if len(data) > MAX_BODY_BYTES:
        raise ProtocolError("the body of the response is too long")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _join_chunks(data)
    elif "content-length" in headers:
        body = _cut(data, headers["content-length"])
    else:
        # RFC 9112 section 6.3: no length means that the body lasts until the end of the stream.
        headers["connection"] = "close"
        body = data if ended else None
    if body is None and ended:
        raise ProtocolError("the connection closed in the middle of the response")
    return body


def _cut(data: bytes, length: str) -> "bytes | None":
    # Python refuses to read numbers of thousands of digits; ten are more than enough here.
    size = (
        int(length) if length.isascii() and length.isdigit() and len(length) <= MAX_DIGITS else -1
    )
    if not 0 <= size <= MAX_BODY_BYTES:
        raise ProtocolError(f"not a usable Content-Length: {length[:40]!r}")
    return data[:size] if len(data) >= size else None


def _join_chunks(data: bytes) -> "bytes | None":
    """Return the joined chunks up to the last one, None when it has not come yet."""
    body = b""
    while True:
        line, newline, data = data.partition(b"\r\n")
        if not newline:
            return None
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            raise ProtocolError(f"not a chunk size: {line[:40]!r}") from None
        if size < 0:
            raise ProtocolError(f"not a chunk size: {line[:40]!r}")
        if size == 0:
            return body
        if len(data) < size + 2:
            return None
        body, data = body + data[:size], data[size + 2 :]
