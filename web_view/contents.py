"""What stands at each address: the parameters of a page, what it reads, and its template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from web_view.cost_page import read_costs
from web_view.health_page import read_health
from web_view.invocation_detail import read_invocation
from web_view.invocation_list import read_invocations
from web_view.log_list import read_line, read_logs
from web_view.parameters import (
    CostQuery,
    InvocationQuery,
    InvocationsQuery,
    LogQuery,
    LogsQuery,
    Query,
)
from web_view.source import Source


@dataclass(frozen=True, slots=True)
class Content:
    """A page.

    Attributes:
        query: the parameters of its address.
        read: returns what the template shows, from the tables and the parameters.
        template: its name.
        section: the entry of the navigation that it belongs to.
        has_charts: whether it needs plotly's script.
    """

    query: type[Any]
    read: Callable[[Source, Any], Mapping[str, Any]]
    template: str
    section: str
    has_charts: bool = False


def _read_invocations(source: Source, query: InvocationsQuery) -> Mapping[str, Any]:
    is_filtered = bool(query.function or query.status or query.start or query.q)
    return {"page": read_invocations(source, query), "is_filtered": is_filtered}


def _read_invocation(source: Source, query: InvocationQuery) -> Mapping[str, Any]:
    page = read_invocation(source, query)
    return {"page": page, "row": page.row}


def _read_logs(source: Source, query: LogsQuery) -> Mapping[str, Any]:
    is_filtered = bool(query.q or query.severity or query.function or query.invocation)
    return {"page": read_logs(source, query), "is_filtered": is_filtered}


def _read_log(source: Source, query: LogQuery) -> Mapping[str, Any]:
    line = read_line(source, query)
    return {"line": line, "row": line.row, "invocation": line.row.invocation}


def _read_costs(source: Source, query: CostQuery) -> Mapping[str, Any]:
    return {"page": read_costs(source, query)}


def _read_health(source: Source, _query: Query) -> Mapping[str, Any]:
    return {"page": read_health(source)}


CONTENTS: Mapping[str, Content] = {
    "/": Content(InvocationsQuery, _read_invocations, "invocations.html", "/"),
    "/invocation": Content(InvocationQuery, _read_invocation, "invocation.html", "/"),
    "/logs": Content(LogsQuery, _read_logs, "logs.html", "/logs"),
    "/log": Content(LogQuery, _read_log, "log.html", "/logs"),
    "/cost": Content(CostQuery, _read_costs, "cost.html", "/cost", has_charts=True),
    "/health": Content(Query, _read_health, "health.html", "/health", has_charts=True),
}
