"""OTLP/HTTP bodies to messages and back: content types, content encodings and limits.

Pure functions over headers and bytes; the receiver does the talking. Rules: OTLP specification,
"OTLP/HTTP". Anything that is not a well-formed request is a RequestError, never another exception.
"""

import zlib
from typing import TypeVar

import orjson
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError, Message

from otlp_viewer.errors import (
    BadRequestError,
    BodyTooLargeError,
    RequestError,
    UnsupportedMediaError,
)
from otlp_viewer.otlp_json import parse_json

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_MessageT = TypeVar("_MessageT", bound=Message)


def decompress(body: bytes, content_encoding: str, *, max_bytes: int) -> bytes:
    """Return the body without its content encoding, at most `max_bytes` long.

    `content_encoding` is the header's value, "" where there is none. A gzip stream of several
    members is one body (RFC 1952, section 2.2).
    """
    encoding = content_encoding.strip().lower()
    if encoding == "gzip":
        return _gunzip(body, max_bytes=max_bytes)
    if encoding not in {"", "none", "identity"}:
        raise UnsupportedMediaError(f"content encoding {encoding!r}: only gzip and none are known")
    if len(body) > max_bytes:
        raise too_large(max_bytes)
    return body


def _gunzip(body: bytes, *, max_bytes: int) -> bytes:
    plain = bytearray()
    rest = body
    while True:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            plain += member.decompress(rest, max_bytes - len(plain) + 1)
        except zlib.error as error:
            raise BadRequestError(f"the body is not gzip: {error}") from error
        if len(plain) > max_bytes:
            raise too_large(max_bytes)
        if not member.eof:
            raise BadRequestError("the body is not gzip: it ends in mid-stream")
        rest = member.unused_data
        if not rest:
            return bytes(plain)


def decode(body: bytes, content_type: str, message_type: type[_MessageT]) -> _MessageT:
    """Return the message that `body` holds in `content_type`, one of PROTOBUF and JSON."""
    message = message_type()
    if content_type == JSON:
        parse_json(body, message)
    elif content_type == PROTOBUF:
        try:
            message.ParseFromString(body)
        except DecodeError as error:
            name = message.DESCRIPTOR.name
            raise BadRequestError(f"the body is not an {name} in protobuf: {error}") from error
    else:
        raise UnsupportedMediaError(f"content type {content_type!r}: send {PROTOBUF} or {JSON}")
    return message


def encode(message: Message, content_type: str) -> bytes:
    """Return `message` in `content_type`; for answers, which hold no ids, proto3 JSON is right."""
    if content_type == JSON:
        return MessageToJson(message, indent=None).encode()
    return message.SerializeToString()


def encode_error(error: RequestError, content_type: str) -> tuple[bytes, str]:
    """Return the body of a 4xx answer and its content type.

    It is a google.rpc.Status (code 1: int32, message 2: string) in the content type of the
    request; plain text where that one is not of OTLP, as the sender cannot be expected to read
    either. The message is written by hand: its class is in a package of which nothing else is used.
    """
    text = str(error)
    if content_type == JSON:
        return orjson.dumps({"code": error.rpc_code, "message": text}), JSON
    if content_type == PROTOBUF:
        message = text.encode()
        head = bytes((0x08, error.rpc_code, 0x12))
        return head + _varint(len(message)) + message, PROTOBUF
    return text.encode(), "text/plain"


def _varint(value: int) -> bytes:
    """Encode an unsigned integer: seven bits a byte, lowest first, the top bit means more."""
    rest, low = divmod(value, 0x80)
    return bytes((low | 0x80,)) + _varint(rest) if rest else bytes((low,))


def too_large(max_bytes: int) -> BodyTooLargeError:
    """Return the error for a body over the limit."""
    return BodyTooLargeError(f"the body has more than {max_bytes} bytes; send smaller batches")
