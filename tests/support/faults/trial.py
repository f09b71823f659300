"""A life of the whole behind a fault proxy, and the count of what came of it.

Owns the ids that were printed, the results, the peak of memory (mutable). Every log line that the
function prints has an id of its own, and every invocation has one, so that each record can be
looked up: at the collector, or in the lines that the extension printed when it could not deliver.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.stage import NAME
from otlp_viewer import Collector, Limits, Store
from otlp_viewer.mapping import map_logs, map_spans
from otlp_viewer.wire import JSON, decode
from tests.support.fault_proxy import FaultProxy
from tests.support.faults.figures import Figures, count
from tests.support.sandbox_programs import write_program
from tests.support.whole import SERVER, Whole, run_whole

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping

    from lambda_sandbox import InvokeResult
    from tests.support.faults.answers import Exchange, Fault

# Prints as many lines as asked, each with its id, and does what the event says.
FUNCTION = """\
while True:
    request_id, headers, event = next_invocation()
    lines = [f"{event['prefix']}.{n} {event.get('text', '')}" for n in range(event["count"])]
    os.write(1, "".join(line + "\\n" for line in lines[:1]).encode())
    sys.stdout.write("".join(line + "\\n" for line in lines[1:]))
    sys.stdout.flush()
    time.sleep(event.get("sleep_s", 0))
    if "exit" in event:
        os._exit(event["exit"])
    respond(request_id)
"""

MEMORY_SAMPLE_S = 0.02
STORE = Limits(max_rows=400_000, max_bytes=1024 * 1024 * 1024)
FLUSH_AT_THE_END = {"LOGGER_EXTENSION_FLUSH_POLICY": "end"}


class Trial:
    """A running whole; made by `run_trial`.

    Attributes:
        whole: function, local Lambda and extension.
        proxy: between the extension and the collector.
        collector: the real one behind it.
        folder: where files of this trial may lie.
        is_faulty: whether what invocations cost is the fault's price.
    """

    def __init__(self, folder: Path, whole: Whole, proxy: FaultProxy, collector: Collector) -> None:
        self.folder = folder
        self.whole = whole
        self.proxy = proxy
        self.collector = collector
        self.is_faulty = False
        self._ids: list[str] = []
        self._outcomes: dict[str, tuple[str, str]] = {}
        self._faulty: set[str] = set()
        self._prefixes = 0
        self._peak_rss_bytes = 0
        self._unanswered = 0

    def losing(self, fault: Fault) -> Fault:
        """Return a fault that loses an answer, and counts the records that may come twice by it."""

        async def counted(exchange: Exchange) -> None:
            before = self._count_received()
            try:
                await fault(exchange)
            finally:
                self._unanswered += self._count_received() - before

        return counted

    async def invoke(
        self, lines: int = 3, *, expected: str = "success", **event: Any
    ) -> InvokeResult:
        """Invoke once.

        Args:
            lines: how many lines the function prints.
            expected: how the invocation ends by the function's own doing.
            event: what else the function is to do, see FUNCTION.
        """
        prefix = f"i{self._prefixes}"
        self._prefixes += 1
        is_faulty = self.is_faulty
        payload = json.dumps({"prefix": prefix, "count": lines, **event}).encode()
        result = await self.whole.sandbox.invoke(payload)
        self._ids += [f"{prefix}.{number}" for number in range(lines)]
        self._ids.append(result.request_id)
        self._outcomes[result.request_id] = (result.status, expected)
        if is_faulty:
            self._faulty.add(result.request_id)
        return result

    async def invoke_often(self, count: int, lines: int = 3, **event: Any) -> None:
        """Invoke one after the other; return when the last one is over and all is frozen."""
        for _ in range(count):
            await self.invoke(lines, **event)
        await self.whole.sandbox.wait_idle()

    async def finish(self, reason: str = "spindown") -> Figures:
        """Shut down and count."""
        await self.whole.sandbox.shutdown(reason)
        delivered = count_ids(self.collector.store)
        spilled = count_ids(self.read_fallback())
        missing, doubled, only_spilled = count(self._ids, delivered, spilled)
        return Figures(
            invocations=len(self._outcomes),
            succeeded=self._count_successes(),
            records=len(self._ids),
            missing=missing,
            doubled=doubled,
            unanswered=self._unanswered,
            fallback=only_spilled,
            told=tuple(dict.fromkeys(self.read_told())),
            peak_rss_bytes=self._peak_rss_bytes,
            overheads_ms=tuple(self._overheads_ms()),
        )

    def read_told(self) -> list[str]:
        """Return the messages of the extension on stderr."""
        lines = [line.text for line in self.whole.sandbox.output[NAME] if line.stream == "stderr"]
        return [json.loads(line)["message"] if line.startswith("{") else line for line in lines]

    def read_fallback(self) -> Store:
        """Return what the extension printed because it could not deliver it."""
        store = Store(STORE)
        for line in self.whole.sandbox.output[NAME]:
            body = line.text.encode()
            if line.text.startswith('{"resourceLogs"'):
                store.add_logs(map_logs(decode(body, JSON, ExportLogsServiceRequest)))
            elif line.text.startswith('{"resourceSpans"'):
                store.add_spans(map_spans(decode(body, JSON, ExportTraceServiceRequest)))
        return store

    async def watch_memory(self) -> None:
        """Note the peak of the extension's Python, for ever."""
        while True:
            if (pid := self.whole.python_pid()) is not None:
                self._peak_rss_bytes = max(self._peak_rss_bytes, read_memory(pid, "VmHWM"))
            await asyncio.sleep(MEMORY_SAMPLE_S)

    def _count_received(self) -> int:
        return count_ids(self.collector.store).total()

    def _count_successes(self) -> int:
        """An invocation succeeded if caller and platform saw what the function meant."""
        ends = self.whole.sandbox.transcript.select("invoke.end")
        platform = {entry.details["request_id"]: entry.details["status"] for entry in ends}
        return sum(
            status == expected == platform.get(request_id, expected)
            for request_id, (status, expected) in self._outcomes.items()
        )

    def _overheads_ms(self) -> list[float]:
        """Of the invocations during the fault, or of all where none was."""
        ends = self.whole.sandbox.transcript.select("invoke.end")
        counted = self._faulty or self._outcomes.keys()
        measured = [
            entry.details.get("extension_overhead_ms")
            for entry in ends
            if entry.details["request_id"] in counted
        ]
        return [value for value in measured if value is not None]


def count_ids(store: Store) -> Counter[str]:
    """Count the ids of lines and invocations."""
    lines = (str(row.body).split(" ")[0] for row in store.logs)
    invocations = (
        str(row.attributes.get("faas.invocation_id")) for row in store.spans if row.kind == SERVER
    )
    return Counter([*lines, *invocations])


def read_memory(pid: int, field: str) -> int:
    """Return a field of /proc/<pid>/status in bytes, 0 where the process has gone."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return 0


@asynccontextmanager
async def run_trial(  # noqa: PLR0913  (each is one thing that a fault may need)
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    scenario: Mapping[str, Any] | None = None,
    extensions: Path | None = None,
    tls: ssl.SSLContext | None = None,
    host: str | None = None,
    function: str = FUNCTION,
    upstream: str | None = None,
) -> AsyncIterator[Trial]:
    """Run the whole with a proxy between the extension and a collector.

    Args:
        folder: an empty folder.
        environ: variables of the function; without a flush policy it is `end`, so that every
            invocation meets the fault.
        scenario: fields of `lambda_sandbox.Scenario`.
        extensions: a folder laid by the caller, None for the layer as it is.
        tls: the certificate of the proxy, None for plain HTTP.
        host: a name for the proxy's address.
        function: the runtime with the function in it, a program of `sandbox_programs`.
        upstream: another collector's base URL; then ours gets nothing.
    """
    program = write_program(folder / "function", function)
    async with AsyncExitStack() as stack:
        collector = await stack.enter_async_context(Collector(store=Store(STORE)))
        proxy = await stack.enter_async_context(FaultProxy(upstream or collector.endpoint, tls=tls))
        endpoint = proxy.endpoint if host is None else proxy.endpoint.replace("127.0.0.1", host)
        running = run_whole(
            folder,
            environ=FLUSH_AT_THE_END | dict(environ or {}),
            endpoint=endpoint,
            extensions=extensions,
            scenario={"runtime": [str(program)]} | dict(scenario or {}),
        )
        trial = Trial(folder, await stack.enter_async_context(running), proxy, collector)
        watching = asyncio.create_task(trial.watch_memory())
        try:
            yield trial
        finally:
            watching.cancel()
