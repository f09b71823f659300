"""HTTP/1.1 requests as values: read however they come, refused where they are unclear."""

import asyncio
from itertools import pairwise

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.errors import ProtocolError
from logger_extension.receivers.body import ChunkedBody, open_body
from logger_extension.receivers.request import (
    MAX_DIGITS,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_LINE_BYTES,
    TAKEN,
    Head,
    Response,
    take_head,
)
from tests.support.laws import LAW

LAMBDA = (
    b"POST / HTTP/1.1\r\nHost: sandbox.localdomain:4243\r\nUser-Agent: Go-http-client/1.1\r\n"
    b"Content-Length: 2\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
)


def _take(data: bytes) -> tuple[Head | None, bytes]:
    left = bytearray(data)
    return take_head(left), bytes(left)


def _read(pieces: list[bytes]) -> tuple[Head, bytes, bytes] | None:
    """Feed the pieces until a request is whole; return its head, its body and what is left."""
    data, seen_bytes, head, body = bytearray(), 0, None, None
    for piece in pieces:
        data += piece
        if head is None:
            head = take_head(data, seen_bytes)
            seen_bytes = len(data)
            body = open_body(head) if head else None
        if head is not None and body is not None and body.take(data):
            return head, bytes(body.content), bytes(data)
    return None


def test_a_head_is_read() -> None:
    """Names in lower case, the query left out, and nothing of the body touched."""
    head, left = _take(LAMBDA.replace(b" / ", b" /v1/logs?a=b ") + b"[]")
    assert head is not None
    assert (head.method, head.path, head.length_bytes) == ("POST", "/v1/logs", 2)
    assert head.fields["host"] == "sandbox.localdomain:4243"
    assert head.fields["content-type"] == "application/json"
    assert not head.is_last
    assert not head.expects_continue
    assert left == b"[]"


@pytest.mark.parametrize("cut", range(len(LAMBDA)))
def test_a_head_comes_in_two_pieces(cut: int) -> None:
    """Wherever it is cut."""
    data = bytearray(LAMBDA[:cut])
    assert take_head(data) is None
    seen_bytes = len(data)
    data += LAMBDA[cut:]
    assert take_head(data, seen_bytes) == _take(LAMBDA)[0]


def test_fields() -> None:
    """Blanks around a value go, those of one name are joined, an empty value is one."""
    head, _ = _take(b"GET / HTTP/1.1\r\nhOSt:x\r\nA: \t1 2\t \r\na:3\r\nB:\r\n\r\n")
    assert head is not None
    assert head.fields == {"host": "x", "a": "1 2, 3", "b": ""}


@pytest.mark.parametrize(
    ("line", "field", "is_last"),
    [
        (b"GET / HTTP/1.1", b"X: y", False),
        (b"GET / HTTP/1.1", b"Connection: Close", True),
        (b"GET / HTTP/1.1", b"Connection: keep-alive", False),
        (b"GET / HTTP/1.0", b"Connection: keep-alive", True),
    ],
)
def test_the_end_of_a_connection(line: bytes, field: bytes, *, is_last: bool) -> None:
    """Told by a field, or by the version."""
    head, _ = _take(line + b"\r\nHost: x\r\n" + field + b"\r\n\r\n")
    assert head is not None
    assert head.is_last is is_last


def test_empty_lines_before_a_request_are_read_over() -> None:
    """Some clients send one after a body (RFC 9112 section 2.2), perhaps in pieces."""
    assert _take(b"\r\n\r\n" + LAMBDA) == _take(LAMBDA)
    for beginning in (b"\r", b"\r\n", b"\r\n\r"):
        data = bytearray(beginning)
        assert take_head(data) is None
        data += (b"\r\n\r\n" + LAMBDA).removeprefix(beginning)
        assert take_head(data, len(beginning)) == _take(LAMBDA)[0]


UNCLEAR = {
    "bare line feeds": b"POST / HTTP/1.1\nHost: x\nContent-Length: 2\n\n[]\r\n\r\n",
    "line feed in a field": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 2\r\n\r\n",
    "carriage return in a field": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n",
    "zero in a field": b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n",
    "blank before the first field": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: x\r\nwords\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in the target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /\r\nHost: x\r\n\r\n",
    "version": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "small letters": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nA: b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
    "lengths in one": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\n",
    "signed": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n",
    "underscore": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\n",
    "other digits": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2\r\n\r\n",
    "no length": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
    "digits": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"1" * 5_000 + b"\r\n\r\n",
    "length and chunks": (
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "other coding": b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "nearly chunked": b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "chunks in 1.0": b"GET / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("data", UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_unclear_is_refused(data: bytes) -> None:
    """Two readers could see two different requests in it."""
    with pytest.raises(ProtocolError):
        take_head(bytearray(data))


@pytest.mark.parametrize(
    "data", [b"\0", b"\x16\x03\x01", b"\xff" * 9, b"GET\0", b"GET /\x01", b"GET / HTTP\n", b"\n"]
)
def test_what_will_never_be_a_request_is_refused_at_once(data: bytes) -> None:
    """It has no end that could be waited for."""
    with pytest.raises(ProtocolError):
        take_head(bytearray(data))


def test_heads_are_bounded() -> None:
    """By lines, by fields and as a whole; the bounds themselves are inside."""
    start = b"GET / HTTP/1.1\r\nHost: x\r\n"
    field = b"A: " + b"b" * (MAX_LINE_BYTES - 3) + b"\r\n"
    assert _take(start + field + b"\r\n")[0] is not None
    assert _take(start + b"A: b\r\n" * (MAX_FIELDS - 1) + b"\r\n")[0] is not None
    for data in (
        start + b"A" + field + b"\r\n",
        start + b"A: b\r\n" * MAX_FIELDS + b"\r\n",
        start + field * 10 + b"\r\n",
        b"GET /" + b"a" * MAX_HEAD_BYTES,
    ):
        with pytest.raises(ProtocolError):
            take_head(bytearray(data))


# Bodies.


@LAW
@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    st.sampled_from([b"", b";a", b' ;a="b"']),
    st.sampled_from([b"", b"A: b\r\n"]),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_chunks_however_they_come(
    chunks: list[bytes], extension: bytes, trailer: bytes, cuts: list[int]
) -> None:
    """The body is what they hold together, and what follows it is left."""
    data = b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
    data += b"".join(b"%X%s\r\n%s\r\n" % (len(each), extension, each) for each in chunks)
    data += b"0%s\r\n%s\r\n" % (extension, trailer)
    data += LAMBDA
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    read = _read([data[a:b] for a, b in pairwise(edges)])
    assert read is not None
    head, body, left = read
    assert (head.length_bytes, body) == (None, b"".join(chunks))
    assert LAMBDA.startswith(left)


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"-1\r\n",
        b"0x2\r\n[]\r\n",
        b"\r\n",
        b"2 \r\n[]\r\n",
        b"2\n[]\r\n0\r\n\r\n",
        b"2;\0\r\n[]\r\n",
        b"2\r\n[]x\r\n",
        b"1" * (MAX_DIGITS + 1) + b"\r\n",
        b"2;" + b"a" * MAX_LINE_BYTES,
        b"0\r\n" + b"A: b\r\n" * MAX_LINE_BYTES,
    ],
)
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    """A size that another reader would take for another, or a line without end."""
    with pytest.raises(ProtocolError):
        ChunkedBody().take(bytearray(data))


PARTS = [
    *(b"POST ", b"GET ", b"/", b"/v1/logs ", b" ", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r"),
    *(b"\r\n\r\n", b"Host: x\r\n", b"Content-Length: 2\r\n", b"Content-Length:", b"2", b"0"),
    *(b"Transfer-Encoding: chunked\r\n", b"chunked", b"[]", b"2\r\n[]\r\n", b"0\r\n\r\n", b";a"),
    *(b":", b"\t", b"A: b\r\n", b"\0", b"\xff", b",", b"Connection: close\r\n", b"+2", b"2 "),
]
STARTS = [b"", b"POST / HTTP/1.1\r\nHost: x\r\n", LAMBDA[:-2], LAMBDA]


@LAW
@given(st.sampled_from(STARTS), st.lists(st.sampled_from(PARTS), max_size=12))
def test_whatever_is_read_another_reader_reads_the_same(start: bytes, parts: list[bytes]) -> None:
    """What we take, the parser of aiohttp takes too, as the same request."""
    data = start + b"".join(parts)
    try:
        ours = _read([data])
    except ProtocolError:
        return
    if ours is not None:
        head, body, left = ours
        taken = data.removesuffix(left)
        assert asyncio.run(_read_by_aiohttp(taken)) == (head.method, head.path, body)


async def _read_by_aiohttp(data: bytes) -> tuple[str, str, bytes]:
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(BaseProtocol(loop), loop, 65_536)
    (message, payload), *_ = parser.feed_data(data)[0]
    return message.method, message.url.path, await payload.read()


# Answers.


def test_an_answer() -> None:
    """Its length is told, its kind, and whether the connection ends with it."""
    assert Response().write(is_last=False) == TAKEN.write(is_last=False)
    assert TAKEN.write(is_last=True) == (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    answer = Response(body=b"{}", kind="application/json", fields=("Allow: POST",))
    assert answer.write(is_last=False) == (
        b"HTTP/1.1 200 OK\r\nAllow: POST\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
