"""No page weighs more than a megabyte, whatever telemetry says."""

import pytest

from otlp_viewer import SpanEvent
from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.viewer_rows import START_UNIX_NANO, make_log, make_metric, make_server_span
from tests.support.viewer_rows import make_span as make_child

_MAX_PAGE_BYTES = 1_000_000
# Each becomes five bytes in a page.
_LONG = '"' * 5_000
_REQUEST_ID = '"' * 100
_MS = 1_000_000
_COST = {
    "aws.lambda.cost_usd": 3e-6,
    "aws.lambda.cost.handler_usd": 1e-6,
    "aws.lambda.cost.init_usd": 1e-6,
    "aws.lambda.cost.extension_usd": 1e-6,
}


@pytest.fixture
def hostile(database: Database) -> Database:
    """Everything as long and as much as one likes, of characters that grow in a page."""
    attributes = {f"{number}{_LONG}": _LONG for number in range(40)}
    events = tuple(
        SpanEvent(name=_LONG, time_unix_nano=START_UNIX_NANO, attributes=attributes)
        for _ in range(10)
    )
    resource = dict.fromkeys(("faas.name", "faas.version", "faas.instance", "cloud.region"), _LONG)
    error = {"error.type": _LONG, **attributes}
    database.add_spans(
        [
            make_server_span(_REQUEST_ID, name=_LONG, resource=resource, attributes=error,
                             status_code=2, status_message=_LONG, events=events),
            *(
                make_child(span_id=f"{number:016x}", parent_span_id="aa" * 8, name=_LONG,
                           status_code=2, resource=resource, scope=_LONG)
                for number in range(1, 800)
            ),
            *(
                make_server_span(f"{number}{'x' * 90}", trace_id=f"{number:032x}",
                                 span_id=f"{number:016x}",
                                 attributes={"error.type": _LONG, **_COST},
                                 status_code=2,
                                 resource={"faas.name": f"{number:03}" + '"' * 190,
                                           "faas.version": _LONG})
                for number in range(300)
            ),
        ]
    )  # fmt: skip
    database.add_logs(
        [
            make_log(
                time_unix_nano=START_UNIX_NANO + number * _MS,
                body=_LONG * 10,
                severity_text=_LONG,
                severity_number=17,
                span_id=f"{number % 799 + 1:016x}",
                attributes={
                    "faas.invocation_id": _REQUEST_ID,
                    "exception.stacktrace": _LONG,
                    **(attributes if number == 249 else {}),
                },
                resource=resource,
            )
            for number in range(250)
        ]
    )
    database.add_metrics(
        [
            make_metric(
                name="logger_extension.dropped",
                attributes={"signal": _LONG, "reason": f"{number}{_LONG}"},
                resource={"faas.name": _LONG},
            )
            for number in range(300)
        ]
    )
    return database


@pytest.mark.usefixtures("hostile")
async def test_no_page_weighs_more_than_a_megabyte(pages: PageReader) -> None:
    """Lists, an invocation with a selected span, a line, costs by anything, health."""
    quoted = "%22" * 100
    line = (await pages.get("/logs")).main.one("tbody").all("a", class_="open")[0]
    addresses = [
        "/",
        "/?status=error",
        f"/invocation?request={quoted}",
        f"/invocation?request={quoted}&span={'aa' * 8}",
        f"/invocation?request={quoted}&scope=trace&span={1:016x}",
        "/logs",
        f"/logs?invocation={quoted}",
        line.attributes["href"],
        "/cost",
        "/cost?by=version",
        "/health",
    ]
    sizes = {}
    for address in addresses:
        answer = await pages.get(address)
        assert answer.status == 200, address
        sizes[address] = len(answer.text.encode())
    assert max(sizes.values()) < _MAX_PAGE_BYTES, sizes
    assert sizes[addresses[3]] > 100_000


@pytest.mark.usefixtures("hostile")
async def test_what_finds_no_room_is_counted(pages: PageReader) -> None:
    """Nothing is left out in silence."""
    text = (await pages.get(f"/invocation?request={'%22' * 100}&span={'aa' * 8}")).main.text
    assert "500 more spans are not drawn." in text
    assert "250 lines, the last 120 are here" in text
    assert "12 more attributes are not shown." in text
    assert "2 more events are not shown." in text
    assert "101 more are not shown" in (await pages.get("/cost")).main.text


async def test_an_id_that_no_address_can_have_is_shown_without_link(
    pages: PageReader, database: Database
) -> None:
    """Lambda gives none like that."""
    database.add_spans([make_server_span("ü")])
    row = (await pages.get("/")).main.one("tbody").one("tr")
    assert "href" not in row.one("a", class_="open").attributes
