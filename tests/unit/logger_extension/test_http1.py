"""HTTP/1.1 as values: requests as bytes, and responses however their bytes come."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logger_extension.errors import ProtocolError
from logger_extension.http1 import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Response,
    ResponseReader,
    write_request,
)
from tests.support.laws import LAW

BODY = b'{"eventType":"INVOKE"}'


def _chunked(body: bytes, sizes: list[int]) -> bytes:
    encoded = b""
    for size in sizes:
        piece, body = body[:size], body[size:]
        if piece:
            encoded += b"%x;name=value\r\n%s\r\n" % (len(piece), piece)
    if body:
        encoded += b"%X\r\n%s\r\n" % (len(body), body)
    return encoded + b"0\r\n\r\n"


def _read(pieces: list[bytes]) -> Response | None:
    """Feed the pieces until the response is whole, then the end of the stream."""
    reader = ResponseReader()
    for piece in (*pieces, b""):
        if (response := reader.feed(piece)) is not None:
            return response
    return None


def _read_or_error(pieces: list[bytes]) -> tuple[int, dict[str, str], bytes] | str:
    try:
        response = _read(pieces)
    except ProtocolError as error:
        return str(error)
    assert response is not None
    return response.status, response.headers, response.body


def _split(data: bytes, places: list[int]) -> list[bytes]:
    cuts = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(cuts)]


bodies = st.binary(max_size=200)
responses = st.one_of(
    bodies.map(lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)),
    st.tuples(bodies, st.lists(st.integers(1, 40))).map(
        lambda drawn: b"HTTP/1.1 403 \r\nTransfer-Encoding: Chunked\r\n\r\n" + _chunked(*drawn)
    ),
    bodies.map(lambda body: b"HTTP/1.0 202 Accepted\r\nX-A:b\r\n\r\n" + body),
)


def test_a_request_without_a_body() -> None:
    """A GET has no Content-Length."""
    request = write_request("GET", "/next", "127.0.0.1:9001", (("A-B", "c"),))
    assert request == b"GET /next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nA-B: c\r\n\r\n"


@pytest.mark.parametrize("body", [b"", BODY])
def test_a_request_with_a_body(body: bytes) -> None:
    """A POST tells its length, also when that is nought."""
    request = write_request("POST", "/x", "h:1", (), body)
    length = b"Content-Length: %d" % len(body)
    assert request == b"POST /x HTTP/1.1\r\nHost: h:1\r\n" + length + b"\r\n\r\n" + body


def test_a_response_with_its_length() -> None:
    """Status, headers by lower-case name, and as much body as was announced."""
    response = _read([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y:  z \r\n\r\nhello, more"])
    assert response is not None
    assert response.status == 200
    assert response.headers == {"content-length": "5", "x-y": "z"}
    assert response.body == b"hello"
    assert response.keeps_alive


def test_a_response_in_chunks() -> None:
    """Chunks are joined, their extensions dropped."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = _read([head + b"5;a=b\r\nhello\r\n2\r\n, \r\nA\r\n0123456789\r\n0\r\n\r\n"])
    assert response is not None
    assert response.body == b"hello, 0123456789"
    assert response.keeps_alive


def test_a_response_that_ends_with_the_stream_ends_the_connection() -> None:
    """Without a length the body lasts until the stream ends, and nothing can follow it."""
    response = _read([b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo"])
    assert response is not None
    assert response.body == b"hello"
    assert not response.keeps_alive


@pytest.mark.parametrize("value", ["close", "Close"])
def test_connection_close_is_heeded(value: str) -> None:
    """The server may say that this was the last response."""
    head = f"HTTP/1.1 200 OK\r\nConnection: {value}\r\nContent-Length: 0\r\n\r\n"
    response = _read([head.encode()])
    assert response is not None
    assert not response.keeps_alive


@LAW
@given(responses, st.lists(st.integers(0, 1_000), max_size=12))
def test_any_split_gives_the_same_response(data: bytes, places: list[int]) -> None:
    """It does not matter how the network cuts the bytes."""
    assert _read_or_error(_split(data, places)) == _read_or_error([data])
    assert not isinstance(_read_or_error([data]), str)


@LAW
@given(responses)
def test_byte_by_byte_gives_the_same_response(data: bytes) -> None:
    """The same in the smallest pieces."""
    assert _read_or_error([bytes((byte,)) for byte in data]) == _read_or_error([data])


@LAW
@given(responses, st.integers(0, 1_000))
def test_a_response_cut_short_is_an_error_or_was_whole(data: bytes, place: int) -> None:
    """The end of the stream before the end of the response is told, never taken for a whole one."""
    cut = data[: place % len(data)]
    result = _read_or_error([cut] if cut else [])
    if not isinstance(result, str) and b"X-A" not in data:
        # Chunks are whole with the last chunk's size line; the empty line after it may be missing.
        assert result == _read_or_error([data])


def _fuzz() -> st.SearchStrategy[bytes]:
    tokens = [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 ",
        b"HTTP/2 200",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b":",
        b"0",
        b"5",
        b"-5",
        b"+5",
        b"0x5",
        b"1_0",
        b"ffffffffffffffff\r\n",
        b"hello",
        b"\xb2",
        b"\xff",
        b"\x00",
    ]
    return st.lists(st.sampled_from(tokens), max_size=16).map(b"".join)


@LAW
@given(st.lists(st.binary(max_size=64) | _fuzz(), max_size=6))
@example([b"HTTP/1.1 200 OK\r\nContent-Length: " + b"1" * 5_000 + b"\r\n\r\n"])
@example([b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n"])
@example([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5_000 + b"\r\n"])
@example([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"])
def test_garbage_is_a_protocol_error_or_a_response(pieces: list[bytes]) -> None:
    """Whatever a peer sends, nothing else comes out."""
    reader = ResponseReader()
    for piece in (*pieces, b""):
        try:
            response = reader.feed(piece)
        except ProtocolError:
            return
        if response is not None:
            assert isinstance(response.body, bytes)
            return
    pytest.fail("the end of the stream must settle it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_response_is_an_error(data: bytes) -> None:
    """Bytes that break the protocol, and streams that end too early."""
    assert isinstance(_read_or_error([data] if data else []), str)


@pytest.mark.parametrize("size", [1, MAX_HEAD_BYTES + 8])
def test_a_head_that_is_too_long_is_refused_however_it_comes(size: int) -> None:
    """The bound of the head holds in one piece as in many."""
    data = b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES + b"\r\nContent-Length: 0\r\n\r\n"
    pieces = [data] if size == 1 else _split(data, [size])
    assert isinstance(_read_or_error(pieces), str)


@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_without_end_is_refused(head: bytes) -> None:
    """A peer that never stops cannot take the memory."""
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nfffffff\r\n")
    with pytest.raises(ProtocolError, match="too long"):
        reader.feed(b"x" * MAX_BODY_BYTES)
