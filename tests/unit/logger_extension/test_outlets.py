"""Where signals go: each setting reaches the part that it is for, against a real collector."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from logger_extension import outlets
from logger_extension.channel import Channel
from logger_extension.config import Config
from logger_extension.exporters.spool import Spool
from logger_extension.outlets import Outlets
from logger_extension.policy.aggregation import Attributes, Instrument
from logger_extension.policy.queue import Entry
from logger_extension.process_usage import OwnUsage
from logger_extension.self_telemetry import SelfTelemetry
from logger_extension.settings.export import Target
from logger_extension.signals import metric_instruments
from logger_extension.signals.otlp_lines import encode_lines
from logger_extension.signals.requests import count_items, parse
from tests.support.export_targets import make_request
from tests.support.extension import Complaints, Extension, open_window
from tests.support.function_requests import make_logs
from tests.support.http_collector import HttpCollector
from tests.support.raw_server import RawServer, respond

SIGNALS = ("logs", "traces", "metrics")


def _join(items: Sequence[bytes]) -> bytes:
    return b"".join(items)


class Opened:
    """Outlets by some variables, and what they tell."""

    def __init__(self, environ: dict[str, str], stack: AsyncExitStack) -> None:
        self.config = Config.from_env(environ)
        self.complaints = Complaints()
        self.measured: list[tuple[Instrument, float]] = []
        itself = SelfTelemetry(self._record, lambda: OwnUsage(0.0, 0), {})
        self.outlets = Outlets(self.config, stack, self.complaints, itself)

    def _record(self, instrument: Instrument, value: float, attributes: Attributes = (), /) -> None:
        del attributes
        self.measured.append((instrument, value))

    def target(self, signal: str) -> Target | None:
        """Return where a signal goes."""
        target: Target | None = getattr(self.config.export, signal)
        return target

    async def open(self, signal: str) -> Channel[bytes] | None:
        """Open a channel of serialized requests."""
        return await self.outlets.open_channel(self.target(signal), _join)


@asynccontextmanager
async def _opened(endpoint: str, **environ: str) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:
        yield Opened({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **environ}, stack)


@pytest.mark.parametrize("signal", SIGNALS)
async def test_what_is_ours_and_what_is_the_functions_goes_the_same_way(signal: str) -> None:
    """In queues of their own, to the same path; of ours is told how much was delivered."""
    collector = HttpCollector()
    async with (
        collector.running(),
        _opened(f"http://127.0.0.1:{collector.port}") as opened,
    ):
        own = await opened.open(signal)
        assert own is not None
        theirs = opened.outlets.forwarded[signal]
        body = make_request(signal, "hello").SerializeToString()
        own.put(body, len(body))
        theirs.put(body, len(body))
        assert await own.flush(open_window())
        assert await theirs.flush(open_window())
    assert [path for path, _, _ in collector.requests] == [f"/v1/{signal}"] * 2
    assert (own.name, theirs.name) == (signal, f"function_{signal}")
    exported = metric_instruments.EXPORTED[signal]
    assert [value for instrument, value in opened.measured if instrument is exported] == [1]


async def test_a_signal_that_is_off_has_no_channel() -> None:
    """Neither of ours nor of the function's."""
    async with _opened("http://collector:4318", OTEL_LOGS_EXPORTER="none") as opened:
        assert await opened.open("logs") is None
        assert opened.outlets.forwarded == {}


@pytest.mark.parametrize(
    ("endpoint", "environ", "limits"),
    [
        ("http://collector:4318", {}, (512 * 1024, 10_000)),
        (
            "http://collector:4318",
            {
                "LOGGER_EXTENSION_REQUEST_MAX_BYTES": "65536",
                "LOGGER_EXTENSION_REQUEST_MAX_RECORDS": "7",
            },
            (65_536, 7),
        ),
        (
            "https://monitoring.eu-west-1.amazonaws.com",
            {"LOGGER_EXTENSION_REQUEST_MAX_BYTES": "2000000"},
            (1_000_000, 1_000),
        ),
    ],
)
async def test_requests_are_as_large_as_is_set_or_less_where_a_collector_takes_less(
    endpoint: str, environ: dict[str, str], limits: tuple[int, int]
) -> None:
    """Of ours and of the function's."""
    async with _opened(endpoint, LOGGER_EXTENSION_SIGV4="off", **environ) as opened:
        own = await opened.open("metrics")
        assert own is not None
        for channel in (own, opened.outlets.forwarded["metrics"]):
            assert (channel._request_max_bytes, channel._request_max_records) == limits


async def test_queues_are_as_large_as_is_set() -> None:
    """In bytes and in records."""
    async with _opened(
        "http://collector:4318",
        LOGGER_EXTENSION_QUEUE_MAX_BYTES="65536",
        LOGGER_EXTENSION_QUEUE_MAX_RECORDS="4",
    ) as opened:
        channel = await opened.open("logs")
        assert channel is not None
        assert channel.capacity == 4
        channel.put(b"", 65_536)
        assert channel.fill == 1.0


async def test_connections_are_made_ahead() -> None:
    """One to each collector, used by what comes then; one that cannot be reached hinders none."""

    async def serve(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await server.read_request(reader)
            writer.write(respond(b""))

    server = RawServer(serve)
    async with (
        server,
        _opened(
            f"http://127.0.0.1:{server.port}",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://collector.invalid/v1/traces",
        ) as opened,
    ):
        logs = await opened.open("logs")
        await opened.open("traces")
        assert logs is not None
        await opened.outlets.connect()
        logs.put(b"", 1)
        assert await logs.flush(open_window())
    assert server.connections == 1


def test_a_request_is_divided_between_its_records() -> None:
    """Each part counts for its own bytes."""
    body = make_logs(*[b"\1" * 16] * 10)
    parts = outlets._divide("logs", Entry(body, len(body)))
    assert len(parts) > 1
    assert [part.size_bytes for part in parts] == [len(part.item) for part in parts]
    records = sum(count_items("logs", parse("logs", part.item)) for part in parts)
    assert records == outlets._count_records("logs", body) == 10


def _write_down(folder: Path, signal: str, *texts: str) -> None:
    spool = Spool(str(folder), 64 * 1024 * 1024)
    for text in texts:
        body = make_request(signal, text).SerializeToString()
        spool.write(signal, encode_lines(signal, body), lambda _items: None)


async def test_what_an_earlier_process_wrote_down_is_taken_up(tmp_path: Path) -> None:
    """It is sent with the rest, and the directory is empty then."""
    folder = tmp_path / "spool"
    _write_down(folder, "logs", "one", "two")
    _write_down(folder, "metrics", "of a signal that is off")
    extension = Extension()
    async with _opened("http://collector:4318", LOGGER_EXTENSION_FALLBACK=str(folder)) as opened:
        await opened.outlets.recover(extension.pipeline)
    await extension.flush()
    lines = sorted(record.body.string_value for record in extension.records)
    assert lines == ["one", "two"]
    assert extension.pipeline.count_lost() == {"telemetry.signal_is_off": 1}
    assert [path for path in folder.rglob("*") if path.is_file()] == []


async def test_what_there_is_no_room_for_is_left_to_the_next_process(tmp_path: Path) -> None:
    """No more than half of a queue is filled with what is old."""
    folder = tmp_path / "spool"
    for _ in range(4):
        _write_down(folder, "logs", "x" * 100_000)
    extension = Extension(queue_bytes=250_000)
    async with _opened(
        "http://collector:4318",
        LOGGER_EXTENSION_FALLBACK=str(folder),
        LOGGER_EXTENSION_REQUEST_MAX_BYTES="16384",
    ) as opened:
        await opened.outlets.recover(extension.pipeline)
    assert 0.5 <= extension.pipeline.fill < 1.0
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


@pytest.mark.parametrize("word", ["stdout", "none"])
async def test_only_a_directory_is_looked_into(word: str) -> None:
    """What went to stdout is in CloudWatch."""
    extension = Extension()
    async with _opened("http://collector:4318", LOGGER_EXTENSION_FALLBACK=word) as opened:
        await opened.outlets.recover(extension.pipeline)
        assert (opened.outlets.fallback is None) is (word == "none")
    assert not extension.pipeline.has_waiting


async def test_a_directory_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """And nothing else: the sandbox begins as any other."""
    file = tmp_path / "file"
    file.write_text("no directory")
    extension = Extension()
    async with _opened("http://collector:4318", LOGGER_EXTENSION_FALLBACK=str(file)) as opened:
        await opened.outlets.recover(extension.pipeline)
    assert [message for message, _ in opened.complaints.messages] == [
        "what was written down before cannot be read"
    ]
