"""A real ClickHouse for tests: chDB, the engine as a library, behind a minimal HTTP server.

Speaks as much of ClickHouse's HTTP interface as its Python client uses for reading: a query as the
body of a POST, `database` and settings in the query string, basic authentication, errors as text
with the header of their code. The tables are those of the OpenTelemetry Collector's
ClickHouse exporter, with its types; rows come from the viewer's mapping.

State: one engine in memory for each `ClickHouseFront`, gone with it. Queries take turns.
"""

import base64
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

import orjson
from chdb.session import Session

from otlp_viewer import LogRow, MetricRow, SpanRow
from otlp_viewer.columns import Columns, arrange_logs, arrange_metrics, arrange_spans
from otlp_viewer.tables import Table
from tests.support.clickhouse_tables import TABLES, make_ddl

USER, PASSWORD = "reader", "t0p s3cret/@:"

# Of the query string; what else stands there is a setting of the query.
_NOT_SETTINGS = {
    *("query", "database", "session_id", "session_check", "session_timeout", "query_id"),
    *("wait_end_of_query", "compress", "decompress", "enable_http_compression", "default_format"),
    *("client_protocol_version", "send_progress_in_http_headers", "role", "quota_key"),
    *("http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close"),
}
# What the exporter's versions do not agree on.
_LONG_NAMES = {"otel_metrics_exp_histogram": "otel_metrics_exponential_histogram"}

_UNKNOWN_DATABASE = "81"
_AUTHENTICATION_FAILED = "516"


class ClickHouseFront:
    """A ClickHouse on a free port of this machine, as a context manager.

    Args:
        database: where the tables are made.
        tables: which of clickhouse_tables.TABLES; all unless a test wants some to be missing.
        names: what tables are called instead, by their usual name.
        time_type: of the times in metric tables: newer exporters have whole seconds ('DateTime').
        time_zone: of the server; what has none of its own is shown in it.
    """

    def __init__(
        self,
        *,
        database: str = "otel",
        tables: Iterable[str] = tuple(TABLES),
        names: Mapping[str, str] | None = None,
        time_type: str = "DateTime64(9)",
        time_zone: str = "UTC",
    ) -> None:
        """Start no engine yet."""
        self.database = database
        self.queries: list[str] = []
        self._tables = tuple(tables)
        self._names = dict(names or {})
        self._time_type = time_type
        self.time_zone = time_zone
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it listens: `host:port`."""
        return f"127.0.0.1:{self._server.server_port}"

    password = PASSWORD

    @property
    def url(self) -> str:
        """The address of the database, with the user and the password that it asks for."""
        return f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{self.address}/{self.database}"

    def __enter__(self) -> Self:
        """Start the engine, make the tables, listen."""
        session_type: Any = Session  # which has no annotations
        self._session = session_type()
        self.run(
            f"SET session_timezone = '{self.time_zone}', date_time_input_format = 'best_effort'"
        )
        self.run(f"CREATE DATABASE `{self.database}`")
        for table in self._tables:
            self.run(make_ddl(f"`{self.database}`.`{self._name(table)}`", table, self._time_type))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop both."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._session.close()

    def run(self, sql: str, output_format: str = "TabSeparated") -> bytes:
        """Run a statement and return what the engine answers."""
        with self._lock:
            answer: bytes = self._session.query(sql, output_format).bytes()
        return answer

    def run_for_client(self, sql: str, parameters: Mapping[str, str]) -> bytes:
        """Run a client's query with what stands in its query string."""
        self.queries.append(sql)
        settings = [
            f"{name} = '{value}'" for name, value in parameters.items() if name not in _NOT_SETTINGS
        ]
        with self._lock:
            self._session.query(f"USE `{parameters.get('database', 'default')}`")
            if settings:
                self._session.query(f"SET {', '.join(settings)}")
            answer: bytes = self._session.query(sql, "TabSeparated").bytes()
        return answer

    def add_logs(self, rows: Sequence[LogRow]) -> None:
        """Insert log records."""
        self._insert(arrange_logs(rows))

    def add_spans(self, rows: Sequence[SpanRow]) -> None:
        """Insert spans."""
        self._insert(arrange_spans(rows))

    def add_metrics(self, rows: Sequence[MetricRow]) -> None:
        """Insert data points."""
        self._insert(arrange_metrics(rows))

    def _insert(self, arranged: Mapping[Table, Columns]) -> None:
        for table, columns in arranged.items():
            usual = _LONG_NAMES.get(table.name, table.name)
            if usual in self._tables:
                lines = [_to_line(table, row) for row in zip(*columns, strict=True)]
                target = f"`{self.database}`.`{self._name(usual)}`"
                self.run(f"INSERT INTO {target} FORMAT JSONEachRow\n" + b"\n".join(lines).decode())

    def _name(self, table: str) -> str:
        return self._names.get(table, table)


def _to_line(table: Table, row: Sequence[Any]) -> bytes:
    """Return a row of `otlp_viewer.columns` as JSONEachRow has it."""
    named = zip(table.columns, row, strict=True)
    return orjson.dumps({name: _to_json(value, kind) for (name, kind), value in named})


def _to_json(value: Any, kind: str) -> Any:
    if kind.startswith("TIMESTAMP"):
        return [_to_text(each) for each in value] if kind.endswith("[]") else _to_text(value)
    return orjson.Fragment(value) if kind.startswith("MAP") else value


def _to_text(unix_nano: int) -> str:
    seconds, nanos = divmod(unix_nano, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def _make_handler(front: ClickHouseFront) -> type[BaseHTTPRequestHandler]:
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, b"Ok.\n")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parameters = dict(parse_qsl(urlsplit(self.path).query))
            if self.headers.get("Authorization") != f"Basic {token}":
                text = f"Code: {_AUTHENTICATION_FAILED}. DB::Exception: Authentication failed."
                self._answer(403, text.encode(), _AUTHENTICATION_FAILED)
                return
            sql = "\n".join(filter(None, (parameters.get("query"), body.decode())))
            try:
                self._answer(200, front.run_for_client(sql, parameters))
            except RuntimeError as error:
                code = str(error).partition("Code: ")[2].partition(".")[0] or _UNKNOWN_DATABASE
                self._answer(500, str(error).encode(), code)

        def _answer(self, status: int, body: bytes, code: str = "") -> None:
            self.send_response(status)
            if code:
                self.send_header("X-ClickHouse-Exception-Code", code)
            self.send_header("X-ClickHouse-Timezone", front.time_zone)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    return Handler
