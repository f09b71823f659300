"""The templates, and the words and figures that they may use.

Everything that comes from outside is escaped: the environment escapes all, and no template turns
that off. A name that a template does not get is an error, not an empty place.
"""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from otlp_viewer.rows import SPAN_KINDS
from otlp_viewer.text import format_severity
from web_view import formatting
from web_view.assets import address_of
from web_view.parameters import Query, change, write_query


def make_environment() -> Environment:
    """Return the environment of all pages; for any thread."""
    environment = Environment(
        loader=PackageLoader("web_view"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = address_of
    environment.filters |= {
        "address": _address,
        "age": formatting.format_age,
        "bytes": formatting.format_bytes,
        "count": formatting.format_count,
        "figure": formatting.format_figure,
        "is_shortened": formatting.is_shortened,
        "kind_name": _name_kind,
        "moment": formatting.format_moment,
        "ms": formatting.format_ms,
        "offset_ms": formatting.format_offset_ms,
        "pretty": formatting.pretty,
        "severity_name": _name_severity,
        "share": formatting.format_share,
        "shorten": formatting.shorten,
        "usd": formatting.format_usd,
        "usd_per_million": formatting.format_usd_per_million,
    }
    return environment


def render(environment: Environment, template: str, values: Mapping[str, Any]) -> str:
    """Return a page."""
    return environment.get_template(template).render(values)


def _address(query: Query, **changes: str) -> str:
    return write_query(change(query, **changes))


def _name_kind(kind: int) -> str:
    return SPAN_KINDS[kind] if 0 <= kind < len(SPAN_KINDS) else str(kind)


def _name_severity(number: int) -> str:
    return format_severity(number, "")
