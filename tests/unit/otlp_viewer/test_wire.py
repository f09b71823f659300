"""Bodies and headers of OTLP/HTTP, without a socket."""

import gzip
import zlib

import orjson
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # has no py.typed
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from otlp_viewer import RequestError, wire
from otlp_viewer.errors import BadRequestError, BodyTooLargeError, UnsupportedMediaError


@pytest.mark.parametrize("encoding", ["", "none", "identity", " Identity "])
def test_a_plain_body_stays_as_it_is(encoding: str) -> None:
    """Up to the limit, and not a byte more."""
    assert wire.decompress(b"abc", encoding, max_bytes=3) == b"abc"
    with pytest.raises(BodyTooLargeError, match="more than 2 bytes"):
        wire.decompress(b"abc", encoding, max_bytes=2)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
def test_gzip_is_unpacked(encoding: str) -> None:
    """Several members one after the other are one body."""
    body = gzip.compress(b"abc") + gzip.compress(b"def")
    assert wire.decompress(body, encoding, max_bytes=6) == b"abcdef"


def test_a_gzip_bomb_is_refused_before_it_goes_off() -> None:
    """The limit is on the bytes after decompression."""
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < 20_000
    with pytest.raises(BodyTooLargeError):
        wire.decompress(bomb, "gzip", max_bytes=100_000)


@pytest.mark.parametrize(
    "body", [b"", b"abc", gzip.compress(b"abc")[:-1], gzip.compress(b"abc") + b"x"]
)
def test_broken_gzip_is_a_bad_request(body: bytes) -> None:
    """Cut off, followed by garbage, or no gzip at all."""
    with pytest.raises(BadRequestError, match="not gzip"):
        wire.decompress(body, "gzip", max_bytes=1_000)


@pytest.mark.parametrize("encoding", ["deflate", "zstd", "br"])
def test_encodings_that_otlp_has_not_are_unsupported(encoding: str) -> None:
    """Only gzip and none are in the specification."""
    with pytest.raises(UnsupportedMediaError, match=encoding):
        wire.decompress(zlib.compress(b"abc"), encoding, max_bytes=1_000)


@given(
    st.binary(max_size=60)
    | st.binary(max_size=60).map(gzip.compress)
    | st.tuples(st.binary(max_size=60).map(gzip.compress), st.integers(0, 60)).map(
        lambda pair: pair[0][: pair[1]]
    ),
    st.sampled_from(["", "gzip", "br"]),
    st.sampled_from([wire.PROTOBUF, wire.JSON, "text/plain"]),
)
def test_any_body_is_a_message_or_a_request_error(
    body: bytes, encoding: str, content_type: str
) -> None:
    """No other exception leaves the pure part, and every error has an answer."""
    try:
        plain = wire.decompress(body, encoding, max_bytes=40)
        wire.decode(plain, content_type, ExportLogsServiceRequest)
    except RequestError as error:
        answer, _ = wire.encode_error(error, content_type)
    else:
        answer = wire.encode(ExportLogsServiceResponse(), content_type)
    assert isinstance(answer, bytes)


@pytest.mark.parametrize("words", ["", "short", "ü" * 100, "x" * 20_000])
def test_an_error_is_a_status_message(words: str) -> None:
    """Written by hand, and read by the message's own class."""
    error = BodyTooLargeError(words)
    body, content_type = wire.encode_error(error, wire.PROTOBUF)
    assert content_type == wire.PROTOBUF
    assert Status.FromString(body) == Status(code=8, message=words)


def test_an_error_in_json_is_a_status_object() -> None:
    """In the content type of the request."""
    body, content_type = wire.encode_error(BadRequestError("no"), wire.JSON)
    assert (content_type, orjson.loads(body)) == (wire.JSON, {"code": 3, "message": "no"})


def test_an_error_for_an_unknown_content_type_is_plain_text() -> None:
    """Its sender can be expected to read no other."""
    assert wire.encode_error(BadRequestError("no"), "text/html") == (b"no", "text/plain")
