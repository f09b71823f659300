"""JSON values back to text, whatever they hold."""

import json

import orjson


def to_text(value: object) -> str:
    """Return a JSON value as JSON text, however deep it is nested."""
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:
        pass
    try:
        return json.dumps(value, default=str)  # goes deeper than orjson's 254 levels
    except RecursionError:
        return "(nested too deeply to be shown)"
