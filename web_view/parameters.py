"""What a page's address may ask for, read and checked. Pure.

Each page has a frozen dataclass whose fields are its parameters, all of them text, "" where not
given, so that every state of a page is an address and every address says one state. A field's rule
says what it may be; anything else is refused with what the page expects.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar, cast
from urllib.parse import urlencode

from web_view.errors import ParameterError

MAX_TEXT_CHARS = 200
# Severities as the filter names them, with the least number of OTLP's enum.
SEVERITIES = {"debug": 5, "info": 9, "warn": 13, "error": 17}
# What costs can be summed by, in the words of the page.
GROUPINGS = ("function", "version", "alias", "memory", "architecture", "start", "feature")

_MAX_HEX_CHARS = 32
_HEX = re.compile(rf"[0-9a-f]{{1,{_MAX_HEX_CHARS}}}")
# Lambda's request ids are UUIDs; a page names one in each of its links.
_ID = re.compile(r"[!-~]{1,100}")
_MAX_INT64 = 2**63 - 1
_INT64_DIGITS = 19
_RULE = "rule"

_Rule = Callable[[str], str]
QueryT = TypeVar("QueryT", bound="Query")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a page; one without any."""


def _one_of(*allowed: str) -> str:
    """Return a field that is one of these words, or not given."""

    def check(value: str) -> str:
        return "" if value in allowed else f"one of {', '.join(allowed)}"

    return field(default="", metadata={_RULE: check})


def _matching(pattern: re.Pattern[str], expected: str) -> str:
    """Return a field of text of one form, or not given."""

    def check(value: str) -> str:
        return "" if pattern.fullmatch(value) else expected

    return field(default="", metadata={_RULE: check})


def _text() -> str:
    """Return a field of any text, not too long."""

    def check(value: str) -> str:
        return "" if len(value) <= MAX_TEXT_CHARS else f"at most {MAX_TEXT_CHARS} characters"

    return field(default="", metadata={_RULE: check})


def _time() -> str:
    """Return a field of nanoseconds since 1970, or not given."""

    def check(value: str) -> str:
        return "" if _is_time(value) else "nanoseconds since 1970"

    return field(default="", metadata={_RULE: check})


def _key() -> str:
    """Return a field that is what `write_key` makes, or not given."""

    def check(value: str) -> str:
        time, _, identity = value.partition("-")
        is_key = _is_time(time) and (not identity or _HEX.fullmatch(identity))
        return "" if is_key else "the key of a row, as the links of this page have it"

    return field(default="", metadata={_RULE: check})


def _is_time(value: str) -> bool:
    return (
        value.isascii()
        and value.isdigit()
        and len(value) <= _INT64_DIGITS
        and int(value) <= _MAX_INT64
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationsQuery(Query):
    """Which invocations: `before` and `after` are keys of rows, `q` is text to find.

    `status` "logged" is ok to Lambda, but with a line of severity ERROR or above.
    """

    function: str = _text()
    status: str = _one_of("ok", "error", "logged")
    start: str = _one_of("cold", "warm")
    q: str = _text()
    before: str = _key()
    after: str = _key()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationQuery(Query):
    """An invocation by its request id, and of it an attempt (by its start), a trace, a span."""

    request: str = _matching(_ID, "at most 100 visible characters of ASCII")
    started: str = _time()
    scope: str = _one_of("trace")
    span: str = _matching(_HEX, "the id of a span in hex")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsQuery(Query):
    """Which log lines: `severity` is the least one, `invocation` a request id."""

    q: str = _text()
    severity: str = _one_of(*SEVERITIES)
    function: str = _text()
    invocation: str = _text()
    before: str = _key()
    after: str = _key()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery(Query):
    """One log line by its key."""

    key: str = _key()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuery(Query):
    """Costs of which function, and summed by what ("" is by function)."""

    by: str = _one_of(*GROUPINGS)
    function: str = _text()


def read_query(kind: type[QueryT], given: Iterable[tuple[str, str]]) -> QueryT:
    """Return the parameters of a page.

    Raises:
        ParameterError: one is unknown, comes twice, or is not what its rule says.
    """
    rules = {each.name: cast("_Rule", each.metadata[_RULE]) for each in fields(kind)}
    values: dict[str, str] = {}
    for name, value in given:
        if name not in rules:
            known = ", ".join(rules) or "none"
            raise ParameterError(f"“{name}” is no parameter of this page; it has: {known}.")
        if name in values:
            raise ParameterError(f"“{name}” is given twice; once is enough.")
        if value and (expected := rules[name](value)):
            raise ParameterError(f"“{name}” must be {expected}.")
        values[name] = value
    return kind(**values)


def write_query(query: Query) -> str:
    """Return the parameters that are given, as they stand in an address: `?q=…`, or ""."""
    given = {
        name: value
        for name in [each.name for each in fields(query)]
        if (value := getattr(query, name))
    }
    return "?" + urlencode(given) if given else ""


def change(query: QueryT, **changes: str) -> QueryT:
    """Return the same parameters but for the changes."""
    return replace(query, **changes)


def write_key(unix_nano: int, identity: str) -> str:
    """Return the key of a row: its time, and in hex what tells it from others of that time."""
    return f"{unix_nano}-{identity[:_MAX_HEX_CHARS]}"


def name_invocation(request_id: str, start_unix_nano: int | None = None) -> InvocationQuery | None:
    """Return the address of an invocation, None for an id that no address can have."""
    if not _ID.fullmatch(request_id):
        return None
    started = "" if start_unix_nano is None else str(start_unix_nano)
    return InvocationQuery(request=request_id, started=started)


def read_key(key: str) -> tuple[int, str]:
    """Return time and identity of a key that `read_query` has checked."""
    unix_nano, _, identity = key.partition("-")
    return int(unix_nano), identity
