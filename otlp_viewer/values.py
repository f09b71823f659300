"""OTLP's values as the text that tables hold. Pure.

The rules are those of the collector's `pcommon.Value.AsString`, by which the ClickHouse exporter
writes attributes and bodies: numbers plain, booleans `true` and `false`, bytes as base64, lists and
maps as JSON with sorted keys. Differs where Go's JSON has no value at all: NaN and the infinities
are `NaN`, `Infinity` and `-Infinity`. Always returns text that is valid UTF-8.
"""

import base64
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

# Between these, Go writes a number without an exponent.
_PLAIN_FROM, _PLAIN_BELOW = 1e-6, 1e21


def as_string(value: Any) -> str:
    """Return an attribute's value or a body as text, "" for one that is not set."""
    match value:
        case str():
            text = clean_utf8(value)
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case float():
            text = _format_float(value)
        case bytes():
            text = base64.b64encode(value).decode()
        case int():
            text = str(value)
        case _:
            text = _to_json(value)
    return text


def as_strings(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes with text for each value."""
    return {clean_utf8(key): as_string(value) for key, value in attributes.items()}


def clean_utf8(text: str) -> str:
    """Return `text` with "?" for each lone surrogate, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _format_float(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return format(Decimal(text), "f")
    return text.replace("e-0", "e-")


def _to_json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        # Lone surrogates, or nested deeper than orjson goes.
        return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
