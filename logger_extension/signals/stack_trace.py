"""Stack traces in text, by the shapes that runtimes print them in.

Python, Node, Java, .NET, Ruby and Go. Works line by line with plain string methods, so that its
time is linear in the text whatever the text holds. What it does not recognise is none: the text
itself is kept by whoever asked. Attribute names are those of
https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/. Must not know where the
text came from.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

PYTHON_HEADER = "Traceback (most recent call last):"
# AWS's Python runtime indents its frames with no-break spaces.
INDENTS = (" ", "\t", "\xa0")
# One frame of Node, Java or .NET. A run of blanks begins behind a newline only: linear time.
FRAME = re.compile(r"\n[ \t]+at [^\n]{0,300}?[(:<]")
ERROR_ENDINGS = ("Error", "Exception", "Throwable", "Failure", "Fault", "Interrupt")


class ExceptionFacts(NamedTuple):
    """One exception; `type` or `message` may be empty, not both."""

    type: str
    message: str
    stacktrace: str = ""

    def to_attributes(self) -> dict[str, Any]:
        """Return what is known under its semantic names."""
        named = {
            "exception.type": self.type,
            "exception.message": self.message,
            "exception.stacktrace": self.stacktrace,
        }
        return {name: value for name, value in named.items() if value}


def find_exception(text: str) -> ExceptionFacts | None:
    """Return the exception whose stack trace a text of several lines holds, None without one."""
    if "\n" not in text and "\r" not in text:
        return None
    # Python's runtime ends the lines of one message with a lone carriage return.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for mark, find in _SHAPES:
        if mark in text and (found := find(text)) is not None:
            return found
    return None


def _find_python(text: str) -> ExceptionFacts | None:
    start = text.find(PYTHON_HEADER)
    # Chained exceptions: the last one is the one that was raised in the end.
    last = text.rfind(PYTHON_HEADER)
    if start and text[start - 1] != "\n":
        return None
    at = text.find("\n", last)
    while at >= 0 and (not text[at + 1 : at + 2] or text.startswith((*INDENTS, "\n"), at + 1)):
        at = text.find("\n", at + 1)
    if at >= 0:
        line, _, more = text[at + 1 :].partition("\n")
    else:
        # AWS's runtime puts the exception above the trace, behind its level.
        line, more = text[:start].rstrip("\n").rpartition("\n")[2].removeprefix("[ERROR] "), ""
    kind, _, message = line.partition(": ")
    kind = kind.rstrip(":")
    if not _is_name(kind):
        return None
    return ExceptionFacts(kind, f"{message}\n{more}".strip(), text[start:])


def _find_frames(text: str) -> ExceptionFacts | None:
    """Read the shape of Node, Java and .NET: a head, then indented lines that begin with `at`."""
    frame = FRAME.search(text)
    if frame is None:
        return None
    start, end = 0, frame.start()
    for line in text[:end].split("\n"):
        if (found := _find_name(line)) is not None:
            offset, kind = found
            message = text[start + offset + len(kind) : end]
            # Node writes an error's code behind its name: `Error [ERR_X]: …`.
            if message.startswith(" [") and "]" in message:
                message = message[message.index("]") + 1 :]
            return ExceptionFacts(kind, message.removeprefix(":").strip(), text[start + offset :])
        start += len(line) + 1
    return None


def _find_name(line: str) -> tuple[int, str] | None:
    """Return place and text of the name of an exception in its first line, as in `x.YError: z`."""
    start = 0
    while True:
        end = line.find(":", start)
        while end >= 0 and line[end + 1 : end + 2] not in (" ", ""):
            end = line.find(":", end + 1)
        head = line[start : end if end >= 0 else len(line)].rstrip()
        if head.endswith("]") and " [" in head:
            head = head[: head.rindex(" [")]
        at = max(head.rfind(" "), head.rfind("\t")) + 1
        name = head[at:]
        is_whole_head = start == 0 and at == 0 and end >= 0 and name[:1].isupper()
        if _is_name(name) and (name.endswith(ERROR_ENDINGS) or is_whole_head):
            return start + at, name
        if end < 0:
            return None
        start = end + 1


def _find_ruby(text: str) -> ExceptionFacts | None:
    """Read `app.rb:3:in 'pay': no money (ShopError)`, then lines with `from`."""
    line = text[: text.index("\n\tfrom ")].rpartition("\n")[2]
    place, quote, rest = line.partition("': ")
    message, bracket, kind = rest.rpartition(" (")
    kind = kind.removesuffix(")")
    if not quote or not bracket or ":in " not in place or not _is_name(kind.replace("::", ".")):
        return None
    return ExceptionFacts(kind, message, text[text.index(line) :])


def _find_go(text: str) -> ExceptionFacts | None:
    for kind in ("panic", "fatal error"):
        start = 0 if text.startswith(f"{kind}: ") else text.find(f"\n{kind}: ") + 1
        if text.startswith(f"{kind}: ", start):
            message = text[start + len(kind) + 2 :].partition("\n")[0]
            return ExceptionFacts(kind, message, text[start:])
    return None


def _is_name(text: str) -> bool:
    """Return whether a text can be the name of a class, in any of the languages."""
    return len(text) < 300 and all(  # noqa: PLR2004  (no name is longer; a line may be)
        part.isidentifier() for part in text.replace("$", ".").replace("`1", "").split(".")
    )


_SHAPES: tuple[tuple[str, Callable[[str], ExceptionFacts | None]], ...] = (
    (PYTHON_HEADER, _find_python),
    ("\ngoroutine ", _find_go),
    ("\n\tfrom ", _find_ruby),
    ("at ", _find_frames),
)
