"""Requests found in text: fallback lines, and what CloudWatch's tools put around them.

Owns the forms: a line of OTLP/JSON with text before it, several in a row on one line, and JSON in
whose strings they are. Pure, but for the reading of a stream; no more than one line is in memory.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from logger_extension.errors import ProtocolError
from logger_extension.signals.otlp_lines import read_line

# Longer lines are not read: a page of events that a tool has put on one line is 1 MB.
MAX_LINE_BYTES = 64 * 1024 * 1024

# An event in the JSON of an event, as subscriptions of log groups deliver it.
MAX_DEPTH = 3

KEY = r"resource(?:Logs|Spans|Metrics)"
REQUEST = re.compile(rf'\{{"{KEY}":')
QUOTED_REQUEST = re.compile(rf'\{{\\+"{KEY}\\+":')
ANY_REQUEST = re.compile(rf'\{{\\*"{KEY}\\*":'.encode())

_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was found, serialized."""

    signal: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The beginning of a request that is cut or no OTLP."""


Found = Request | Unreadable


class Lines(Protocol):
    """What lines are read from, such as a binary file."""

    def readline(self, limit: int, /) -> bytes:
        """Return a line with its end, or `limit` bytes of it; nothing at the end."""


def read_stream(stream: Lines) -> Iterator[list[Found]]:
    """Yield for each line what it holds; nothing for a line of another kind."""
    while line := stream.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield list(find_requests(line))
            continue
        while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield [Unreadable()] if ANY_REQUEST.search(line) else []


def find_requests(line: bytes) -> Iterator[Found]:
    """Yield the requests in a line, in order."""
    if ANY_REQUEST.search(line):
        # Bytes that are no text are kept as they are: in a request they make it unreadable.
        yield from _find_in_text(line.decode(errors="surrogateescape"), 0)


def _find_in_text(text: str, depth: int) -> Iterator[Found]:
    match = REQUEST.search(text)
    if match is None:
        if QUOTED_REQUEST.search(text):
            yield from _find_in_json(text, depth)
        return
    while match is not None:
        end = match.end()
        try:
            _, end = _decode(text, match.start())
            yield Request(*read_line(text[match.start() : end].encode(errors="surrogateescape")))
        except (ValueError, RecursionError, ProtocolError):
            yield Unreadable()
        # A line that was torn has no end: the next process's may follow on the same one.
        match = REQUEST.search(text, end)


def _find_in_json(text: str, depth: int) -> Iterator[Found]:
    """Yield the requests in the strings of JSON: a whole document, or a line of a printed one."""
    document = _load(text)
    if document is None or depth == MAX_DEPTH:
        yield Unreadable()
        return
    for string in _strings_in(document):
        # Not splitlines: JSON may hold other ends of lines, such as U+2028, as they are.
        for line in string.split("\n"):
            yield from _find_in_text(line, depth + 1)


def _load(text: str) -> Any:
    bare = text.strip().removesuffix(",")
    for document in (bare, f"{{{bare}}}", bare[bare.find("{") :]):
        try:
            return json.loads(document)
        except (ValueError, RecursionError):
            continue
    return None


def _strings_in(document: Any) -> Iterator[str]:
    """Yield every string of a JSON value, in order."""
    match document:
        case str():
            yield document
        case dict():
            for value in document.values():
                yield from _strings_in(value)
        case list():
            for value in document:
                yield from _strings_in(value)
