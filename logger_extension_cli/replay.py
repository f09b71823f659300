"""`logger-extension replay`: what a fallback wrote down, sent to a collector.

Owns sources, the rest file and what is printed. Reads line by line and sends in between, so a file
of any size needs little memory.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.exporters.protocols import open_exporter
from logger_extension.policy.outcome import Delivered, Outcome
from logger_extension.settings.export import SIGNALS, ExportSettings, Target
from logger_extension.signals.otlp_lines import encode_lines
from logger_extension_cli.errors import CommandError, UsageError
from logger_extension_cli.fallback_lines import Request, read_stream
from logger_extension_cli.play import EXIT_TERMINATED
from logger_extension_cli.progress import CountingReader, find_size_bytes, show_bytes
from logger_extension_cli.replay_summary import Summary, show_summary
from logger_extension_cli.resending import Means, Resending

EXIT_UNDELIVERED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
STDIN = "-"

Send = Callable[[str, bytes], Outcome]
Keep = Callable[[str, bytes], None]


def execute(arguments: argparse.Namespace) -> int:
    """Replay everything that was named and return the exit code."""
    sources = find_sources(arguments.sources)
    targets = {} if arguments.dry_run else read_targets(arguments)
    with (
        _take_all() if arguments.dry_run else open_collector(targets) as send,
        open_rest(arguments.rest) as keep,
        _note_sigterm() as received,
    ):
        means = Means(send, keep, _complain, time.sleep, arguments.tries)
        wanted = SIGNALS if arguments.dry_run else tuple(targets)
        code = _Replay(Resending(means), wanted, is_dry=arguments.dry_run).run(sources)
        return EXIT_TERMINATED if received and code == EXIT_INTERRUPTED else code


class _Replay:
    """One run of the command.

    Args:
        resending: sends.
        wanted: the signals that have a collector.
        is_dry: whether `resending` only counts.
    """

    def __init__(self, resending: Resending, wanted: Sequence[str], *, is_dry: bool) -> None:
        self._resending = resending
        self._wanted = wanted
        self._summary = Summary(resending.counts, is_dry=is_dry)

    def run(self, sources: Sequence[str]) -> int:
        """Read all sources and send what they hold; return the exit code."""
        resending, summary = self._resending, self._summary
        code = 0
        try:
            for name in sources:
                self._read(name)
            resending.finish()
        except KeyboardInterrupt:
            resending.abandon()
            _complain(f"ended at {summary.place}: what follows there was not read")
            code = EXIT_INTERRUPTED
        except OSError as error:
            resending.abandon()
            show_summary(summary)
            raise CommandError(f"after {summary.place}: {error}") from error
        show_summary(summary)
        is_complete = resending.counts.is_complete and not summary.unreadable
        return code or (0 if is_complete else EXIT_UNDELIVERED)

    def _read(self, name: str) -> None:
        title = "stdin" if name == STDIN else name
        size_bytes = None if name == STDIN else find_size_bytes(Path(name))
        with _open_source(name) as stream, show_bytes(title, size_bytes) as advance:
            for number, found in enumerate(read_stream(CountingReader(stream, advance)), 1):
                place = f"{title}, line {number}"
                self._summary.note_line(place, found)
                for one in found:
                    if isinstance(one, Request):
                        self._send(one)

    def _send(self, request: Request) -> None:
        if request.signal in self._wanted:
            self._resending.add(request.signal, request.body)
        else:
            self._resending.keep(request.signal, request.body)


def find_sources(names: list[str]) -> list[str]:
    """Return the files to read, in order; of a directory its `*.jsonl`, sorted.

    Raises:
        UsageError: one is not there or cannot be read.
    """
    found: list[str] = []
    for name in names:
        path = Path(name)
        if name == STDIN:
            found.append(name)
        elif path.is_dir():
            found += sorted(str(file) for file in path.glob("*.jsonl"))
        elif path.exists():
            found.append(name)
        else:
            raise UsageError(f"there is no file {name}")
    for name in found:
        if name != STDIN and not os.access(name, os.R_OK):
            raise UsageError(f"cannot read {name}")
    if not found:
        raise UsageError(f"there are no .jsonl files in {', '.join(names)}")
    return found


def _open_source(name: str) -> "nullcontext[BinaryIO] | BinaryIO":
    return nullcontext(sys.stdin.buffer) if name == STDIN else Path(name).open("rb")


def read_targets(
    arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ
) -> dict[str, Target]:
    """Return where each signal goes: by the arguments, else as the environment says.

    Raises:
        UsageError: there is no collector, or an argument cannot be used.
    """
    own = {
        "ENDPOINT": arguments.endpoint or "",
        "HEADERS": ",".join(_quote_header(pair) for pair in arguments.header),
        "PROTOCOL": arguments.protocol or "",
    }
    general = {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in own.items() if value}
    replaced = {
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}"
        for signal in SIGNALS
        for name, value in own.items()
        if value
    }
    rest = {name: value for name, value in environ.items() if name not in replaced}
    env = Environment(rest | general)
    try:
        settings = ExportSettings.read(env)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    for complaint in env.complaints:
        _complain(complaint)
    targets = {each: getattr(settings, each) for each in SIGNALS}
    return {each: target for each, target in targets.items() if target is not None}


def _quote_header(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not name or not equals:
        raise UsageError("--header: not of the form NAME=VALUE")
    return f"{quote(name)}={quote(value)}"


@contextmanager
def open_collector(targets: Mapping[str, Target]) -> Iterator[Send]:
    """Yield what sends a request of a signal and waits for the outcome.

    Raises:
        UsageError: a certificate or key cannot be used, or a library is missing.
    """
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            exporters = {each: open_exporter(target) for each, target in targets.items()}
            for exporter in exporters.values():
                runner.run(stack.enter_async_context(exporter))
        except ConfigError as error:
            raise UsageError(str(error)) from error

        def send(each: str, body: bytes) -> Outcome:
            return runner.run(exporters[each].export(body))

        try:
            yield send
        finally:
            runner.run(stack.aclose())


@contextmanager
def _take_all() -> Iterator[Send]:
    yield lambda _signal, _body: Delivered()


@contextmanager
def open_rest(path: Path | None) -> Iterator[Keep]:
    """Yield what writes a request as lines into a new file; without any it is not left behind.

    Raises:
        UsageError: the file is there already, or cannot be made.
    """
    if path is None:
        yield lambda _signal, _body: None
        return
    try:
        # Telemetry may hold what is not for everybody.
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise UsageError(f"--rest: cannot make {path}: {error.strerror}") from error

    def keep(each: str, body: bytes) -> None:
        file.writelines(line.text + b"\n" for line in encode_lines(each, body))

    with file:
        yield keep
    if not path.stat().st_size:
        path.unlink()


@contextmanager
def _note_sigterm() -> Iterator[set[int]]:
    """Let SIGTERM end the command as Ctrl-C does, which a loop takes tidily; yield who did."""
    received: set[int] = set()

    def interrupt(number: int, _: object) -> None:
        received.add(number)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # So it is in the background of a script.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def _complain(text: str) -> None:
    print(f"logger-extension replay: {text}", file=sys.stderr)
