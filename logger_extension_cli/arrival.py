"""What must have arrived after a scenario was played, and what of it has not.

The truth is the sandbox's: the results that the caller got and the lines that the function printed.
The extension and the viewer have no part in it. Pure, but for the wait at the end.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from lambda_sandbox import InvokeResult
from otlp_viewer import Store, WaitTimeoutError

# What is under way when the last process has ended needs no longer than this.
ARRIVAL_TIMEOUT_S = 2.0
_MAX_NAMED = 5


def find_missing(
    store: Store, results: Sequence[InvokeResult], printed: Sequence[str]
) -> list[str]:
    """Return one sentence for each thing that is missing or wrong; none if all is well."""
    return [*_check_spans(store, results), *_check_logs(store, printed)]


async def await_arrival(
    store: Store, results: Sequence[InvokeResult], printed: Sequence[str]
) -> list[str]:
    """Wait until everything has arrived, or for ARRIVAL_TIMEOUT_S; return what is missing then."""
    with suppress(WaitTimeoutError):
        await store.wait_for(
            lambda store: not find_missing(store, results, printed), timeout_s=ARRIVAL_TIMEOUT_S
        )
    return find_missing(store, results, printed)


def _check_spans(store: Store, results: Sequence[InvokeResult]) -> Iterator[str]:
    invocations = store.invocations()
    for result in results:
        found = [one for one in invocations if one.request_id == result.request_id]
        name = f"invocation {result.request_id}"
        if not found:
            yield f"{name}: no span arrived"
        elif len(found) > 1:
            yield f"{name}: its span arrived {len(found)} times"
        elif _broke(result) and found[0].status != "error":
            yield f"{name}: it ended with {result.status}, and its span says {found[0].status}"
        elif result.status == "success" and found[0].status != "ok":
            yield f"{name}: it succeeded, and its span says {found[0].status}"


def _broke(result: InvokeResult) -> bool:
    """Return whether Lambda itself calls the invocation failed.

    An exception of the handler is a success to Lambda's telemetry (`platform.runtimeDone`); its
    type is the exception's, while Lambda's own have a dot, such as `Runtime.ExitError`.
    """
    if result.status == "error":
        return "." in (result.error_type or "")
    return result.status != "success"


def _check_logs(store: Store, printed: Sequence[str]) -> Iterator[str]:
    expected = Counter(map(_canonical, printed))
    arrived = Counter(_canonical(row.body) for row in store.logs)
    yield from _name_some("was printed and did not arrive", expected - arrived)
    yield from _name_some("arrived and was not printed", arrived - expected)


def _name_some(what: str, texts: Counter[str]) -> Iterator[str]:
    for text, count in list(texts.items())[:_MAX_NAMED]:
        yield f"{count} x a line {what}: {text[:80]}"
    if len(texts) > _MAX_NAMED:
        yield f"and {len(texts) - _MAX_NAMED} more, each of which {what}"


# What the Python runtime puts before a line of `logging`: level, time and request id, which become
# fields of the record.
_RUNTIME_PREFIX = re.compile(r"^\[[A-Z]+\]\t[^\t]*Z\t[^\t]*\t")


def _canonical(value: Any) -> str:
    """Return a printed line or a record's body in the one form in which both can be compared.

    Of a JSON object with a message that is the message, of another object its sorted JSON; of a
    line of the runtime's logger what stands after its prefix.
    """
    if isinstance(value, str):
        text = _RUNTIME_PREFIX.sub("", value, count=1)
        try:
            parsed = json.loads(text)
        except ValueError:
            return text
        return _canonical(parsed) if isinstance(parsed, dict) else text
    if isinstance(value, dict) and "message" in value:
        return _canonical(value["message"])
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
