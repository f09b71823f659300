"""Reading attributes and time out of the tables, for DuckDB and ClickHouse alike.

Owns the few expressions in which the engines differ most: maps, casts of foreign text, time. Must
not know what an invocation or a metric is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Period:
    """From `since`, inclusive, until `until`, exclusive, in whole seconds; None is no bound.

    A time without a zone is UTC.
    """

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Period()


def text(attributes: ir.MapValue, key: str) -> ir.StringValue:
    """Return an attribute as text, null where it is missing or empty."""
    return attributes.get(key, "").nullif("")


def number(attributes: ir.MapValue, key: str) -> ir.FloatingValue:
    """Return an attribute as a number, null where it is missing, no number or not finite."""
    # Not a cast that may fail: a foreign sender's odd value must not end the report.
    return finite(text(attributes, key).try_cast("float64"))


def finite(value: ir.FloatingValue) -> ir.FloatingValue:
    """Return a value, null in place of NaN and infinity: either would swallow every sum."""
    return ibis.ifelse(value.isnan() | value.isinf(), ibis.null("float64"), value)


def unix_seconds(time: ir.TimestampValue) -> ir.IntegerValue:
    """Return whole seconds since the epoch, whatever time zone a server or session has."""
    return time.epoch_seconds().floor().cast("int64")


def keep_period(
    table: ir.Table, seconds: ir.IntegerValue, period: Period, *, margin_s: int = 0
) -> ir.Table:
    """Return the rows whose time is within a period, widened by `margin_s` at both ends.

    Args:
        table: of which rows are kept.
        seconds: their time, seconds since the epoch. As a number: one engine reads literals of time
            in the session's zone, the other does not.
        period: when.
        margin_s: how much more, in seconds.
    """
    conditions = []
    if period.since is not None:
        conditions.append(seconds >= _whole_second(period.since) - margin_s)
    if period.until is not None:
        conditions.append(seconds < _whole_second(period.until) + margin_s)
    return table.filter(*conditions) if conditions else table


def _whole_second(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() // 1)
