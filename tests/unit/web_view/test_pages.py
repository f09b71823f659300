"""What every address answers, over real sockets."""

import json

import pytest

from otlp_viewer.database import Database
from tests.support.page_reader import PageReader, parse_page
from tests.support.viewer_rows import REQUEST_ID, make_log, make_server_span

PAGES = ("/", "/logs", "/cost", "/health")


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_there_when_nothing_has_come(pages: PageReader, path: str) -> None:
    """And says what to do: where to send, by this very address."""
    answer = await pages.get(path)
    assert answer.status == 200
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={pages.endpoint}" in answer.main.text
    assert answer.page.one("a", aria_current="page").attributes["href"] == path


@pytest.mark.parametrize("path", [*PAGES, "/nope", "/static/page.css", "/live-not"])
async def test_nothing_may_load_from_elsewhere_or_run_inline(pages: PageReader, path: str) -> None:
    """On errors and files as well."""
    headers = (await pages.get(path)).headers
    assert "default-src 'none'; script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", [*PAGES, "/invocation", "/log", "/live", "/static/page.js", "/x"])
async def test_another_host_is_refused_everywhere(pages: PageReader, path: str) -> None:
    """With a sentence, before anything is read."""
    answer = await pages.get(path, Host="evil.example")
    assert answer.status == 403
    assert "answer only to localhost, 127.0.0.1 and [::1]" in answer.main.text


async def test_a_page_of_another_site_is_refused(pages: PageReader) -> None:
    """It could not read the answer, but learn how long it takes."""
    answer = await pages.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")
    assert answer.status == 403


async def test_telemetry_comes_in_by_any_name(pages: PageReader) -> None:
    """A container calls this machine by another one; and POST is not for the pages to judge."""
    headers = {"Host": "host.docker.internal:4319", "Content-Type": "application/json"}
    body = json.dumps({"resourceLogs": []})
    async with pages.session.post(
        f"{pages.endpoint}/v1/logs", data=body, headers=headers
    ) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nope", 404, "There is no page at this address."),
        ("/static/nope.js", 404, "There is no such file."),
        ("/v1/traces", 405, "Telemetry is sent to this address by POST"),
        ("/?status=broken", 400, "“status” must be one of ok, error, logged."),
        ("/logs?page=2", 400, "“page” is no parameter of this page"),
        ("/cost?by=moon", 400, "“by” must be one of function"),
        ("/health?q=x", 400, "“q” is no parameter of this page"),
        ("/invocation?request=none", 404, "This invocation is not here."),
        ("/invocation", 404, "This invocation is not here."),
        ("/log?key=1-ab", 404, "This log line is not here."),
        ("/log", 404, "This log line is not here."),
        ("/log.txt?key=1-ab", 404, "This log line is not here."),
    ],
)
async def test_what_is_not_there_is_said_and_leads_back(
    pages: PageReader, path: str, status: int, words: str
) -> None:
    """With what would have been right."""
    answer = await pages.get(path)
    assert answer.status == status
    assert words in answer.main.text
    assert answer.main.all("a")[-1].attributes["href"] == "/"


async def test_an_invocation_without_spans_leads_to_its_lines(
    pages: PageReader, database: Database
) -> None:
    """Sampling may leave out the spans, and keep the lines."""
    database.add_logs([make_log(body="kept")])
    answer = await pages.get(f"/invocation?request={REQUEST_ID}")
    assert answer.status == 404
    lines = await pages.get(answer.main.all("a")[0].attributes["href"])
    assert "kept" in lines.main.text


async def test_nothing_but_reading_is_possible(pages: PageReader) -> None:
    """No address of a page takes anything."""
    for path in PAGES:
        async with pages.session.post(pages.endpoint + path) as response:
            assert response.status == 405


async def test_a_fault_is_told_on_stderr_and_costs_one_page(
    pages: PageReader, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page has what to look for there, and no trace of it."""
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE otel_logs RENAME TO elsewhere")
    answer = await pages.get("/logs")
    assert answer.status == 500
    assert "Traceback" not in answer.text
    correlation = answer.main.one("code").text
    assert f"web view: fault {correlation} at /logs" in capsys.readouterr().err
    assert (await pages.get("/health")).status == 200


async def test_empty_fields_of_a_form_leave_the_address(pages: PageReader) -> None:
    """So that every state has one short address."""
    answer = await pages.get("/?q=&function=&status=error&start=")
    assert answer.address == "/?status=error"


async def test_a_head_request_has_the_headers_alone(pages: PageReader) -> None:
    """As HTTP has it."""
    async with pages.session.head(pages.endpoint + "/") as response:
        assert response.status == 200
        assert await response.read() == b""


async def test_files_may_be_kept_for_ever(pages: PageReader) -> None:
    """Their addresses change with their content."""
    page = (await pages.get("/cost")).page
    addresses = [script.attributes["src"] for script in page.all("script") if "src" in script.attributes]  # fmt: skip  # noqa: E501
    assert [address.partition("?")[0] for address in addresses] == [
        "/static/plotly.min.js",
        "/static/page.js",
    ]
    for address in addresses:
        first = await pages.get(address)
        assert first.headers["Content-Encoding"] == "gzip"
        assert "immutable" in first.headers["Cache-Control"]
        again = await pages.get(address, If_None_Match=first.headers["ETag"])
        assert (again.status, again.text) == (304, "")
    plain = await pages.get(addresses[1], Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("path", ["/", "/logs"])
async def test_only_pages_with_charts_load_the_chart_script(pages: PageReader, path: str) -> None:
    """It is larger than all the rest together."""
    assert "plotly" not in (await pages.get(path)).text


async def test_what_made_room_is_visible_on_every_page(
    pages: PageReader, database: Database
) -> None:
    """And what is held."""
    database.add_logs([make_log(), make_log()])
    database.add_spans([make_server_span()])
    foot = (await pages.get("/")).page.one("footer")
    assert foot.text.startswith("Held: 1 spans, 2 log lines, 0 metric points.")


_ID = "<script>alert(1)</script>\"'&"
_MARKUP = f"{_ID}\u202e\x1b[31m"


async def test_markup_is_text_wherever_it_comes_from(pages: PageReader, database: Database) -> None:
    """Names, ids, bodies, attributes, errors, parameters."""
    database.add_spans(
        [
            make_server_span(
                _ID,
                name=_MARKUP,
                attributes={"error.type": _MARKUP, _MARKUP: _MARKUP},
                status_code=2,
                status_message=_MARKUP,
                resource=dict.fromkeys(
                    ("faas.name", "faas.version", "faas.instance", "cloud.region"), _MARKUP
                ),
                scope=_MARKUP,
            )
        ]
    )
    attributes = {"faas.invocation_id": _ID, "exception.type": _MARKUP, _MARKUP: _MARKUP}
    database.add_logs([make_log(body=_MARKUP, severity_text=_MARKUP, attributes=attributes)])
    list_page = await pages.get("/")
    invocation = list_page.main.one("table").all("a", class_="open")[0].attributes["href"]
    log_page = await pages.get("/logs")
    line = log_page.main.one("table").all("a", class_="open")[0].attributes["href"]
    selected = invocation + "&span=" + "aa" * 8
    more = [await pages.get(each) for each in (invocation, selected, line, "/cost", "/health")]
    filtered = [
        await pages.session.get(pages.endpoint + path, params=parameters)
        for path, parameters in (
            ("/", {"q": _MARKUP, "function": _MARKUP}),
            ("/logs", {"q": _MARKUP, "invocation": _MARKUP}),
            ("/cost", {"by": "version", "function": _MARKUP}),
            ("/", {_MARKUP: "x"}),
        )
    ]
    texts = [
        *(answer.text for answer in (list_page, log_page, *more)),
        *[await response.text() for response in filtered],
    ]
    for text in texts:
        assert "<script>alert" not in text
        assert "alert(1)" in text or "No extension" in text
        # The value of a form's field must stay what it is; what is read must not.
        seen = parse_page(text).raw_text
        assert "\u202e" not in seen
        assert "\x1b" not in seen


async def test_a_line_can_be_had_as_it_is(pages: PageReader, database: Database) -> None:
    """As plain text, which no browser takes for a page."""
    body = "<b>x</b>" * 100_000
    database.add_logs([make_log(body=body)])
    line = (await pages.get("/logs")).main.one("table").all("a", class_="open")[0]
    page = await pages.get(line.attributes["href"])
    assert len(page.text) < 1_000_000
    whole = next(a for a in page.main.all("a") if a.attributes["href"].startswith("/log.txt"))
    answer = await pages.get(whole.attributes["href"])
    assert answer.text == body
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_invocation_of_a_line_is_one_link_away(
    pages: PageReader, database: Database
) -> None:
    """And back."""
    database.add_spans([make_server_span()])
    database.add_logs([make_log()])
    line = (await pages.get("/logs")).main.one("table").all("a", class_="open")[0]
    links = [a.attributes["href"] for a in (await pages.get(line.attributes["href"])).main.all("a")]
    invocation = next(link for link in links if link.startswith("/invocation"))
    page = (await pages.get(invocation)).main
    assert REQUEST_ID in page.text
    assert any(a.attributes["href"] == line.attributes["href"] for a in page.all("a"))
