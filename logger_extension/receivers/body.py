"""The body of a request as it comes, by its length or in chunks (RFC 9112 sections 6 and 7).

Each takes its part off the front of what came and leaves the rest, which is the next request. Must
not know limits, but for a line: who holds what they collect bounds it.
"""

import re

from logger_extension.errors import ProtocolError
from logger_extension.receivers.request import CRLF, MAX_DIGITS, MAX_LINE_BYTES, Head

# Extensions are read over.
SIZE = re.compile(rb"([0-9A-Fa-f]{1,%d})(?:[ \t]*;[\t -~\x80-\xff]*)?" % MAX_DIGITS)


class LengthBody:
    """A body whose length was told."""

    def __init__(self, length_bytes: int) -> None:
        self.content = bytearray()
        self._missing_bytes = length_bytes

    def take(self, data: bytearray) -> bool:
        """Take what belongs to it; return whether it is whole."""
        self._missing_bytes -= _move(data, self.content, self._missing_bytes)
        return not self._missing_bytes


class ChunkedBody:
    """A body that ends where it says so."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._missing_bytes = 0
        self._is_in_chunk = False
        self._is_in_trailer = False
        self._trailer_bytes = 0

    def take(self, data: bytearray) -> bool:
        """Take what belongs to it; return whether it is whole.

        Raises:
            ProtocolError: it is not made of chunks.
        """
        while True:
            self._missing_bytes -= _move(data, self.content, self._missing_bytes)
            line = None if self._missing_bytes else _take_line(data)
            if line is None:
                return False
            if self._is_in_trailer:
                self._trailer_bytes += len(line)
                if self._trailer_bytes > MAX_LINE_BYTES:
                    raise ProtocolError("the trailer is too long")
                if not line:
                    return True
            elif self._is_in_chunk:
                if line:
                    raise ProtocolError("a chunk is longer than it says")
                self._is_in_chunk = False
            else:
                self._begin_chunk(line)

    def _begin_chunk(self, line: bytes) -> None:
        match = SIZE.fullmatch(line)
        if match is None:
            raise ProtocolError("not the size of a chunk")
        self._missing_bytes = int(match[1], 16)
        self._is_in_chunk = self._missing_bytes > 0
        self._is_in_trailer = not self._is_in_chunk


def open_body(head: Head) -> LengthBody | ChunkedBody:
    """Return what collects the body of a request."""
    return ChunkedBody() if head.length_bytes is None else LengthBody(head.length_bytes)


def _move(data: bytearray, to: bytearray, at_most: int) -> int:
    part = data[:at_most]
    to += part
    del data[: len(part)]
    return len(part)


def _take_line(data: bytearray) -> bytes | None:
    """Take a line without its end, or return None while it is not whole."""
    end = data.find(CRLF, 0, MAX_LINE_BYTES + 2)
    if end < 0:
        if len(data) > MAX_LINE_BYTES:
            raise ProtocolError("a line between chunks is too long")
        return None
    line = bytes(data[:end])
    del data[: end + 2]
    return line
