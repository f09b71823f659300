"""A collector that is gone: what it does not get is written down, and comes to it later, once."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.stage import NAME
from otlp_viewer import Collector, Store
from otlp_viewer.rows import SpanRow
from tests.support.replaying import replay
from tests.support.whole import SERVER, Whole, run_whole

# The start after a reset counts against it too, on a busy machine as well.
TIMEOUT = {"timeout_ms": 3_000}


async def invoke(whole: Whole, *numbers: int) -> list[str]:
    """Invoke once for each number, two lines each; return the lines."""
    lines: list[str] = []
    for number in numbers:
        own = [f"line {number}", f'{{"message": "event {number}", "n": {number}}}']
        result = await whole.sandbox.invoke(json.dumps({"lines": own}).encode())
        assert result.status == "success"
        lines += [f"line {number}", f"event {number}"]
    await whole.sandbox.wait_idle()
    return lines


def bodies_in(*stores: Store) -> Counter[str]:
    """Return the bodies of all records with their number."""
    return Counter(str(row.body) for store in stores for row in store.logs)


def server_spans_in(*stores: Store) -> list[SpanRow]:
    """Return the spans of invocations."""
    return [span for store in stores for span in store.spans if span.kind == SERVER]


def invocations_counted_in(*stores: Store) -> float:
    """Return the sum of all points of `faas.invocations`, which are deltas."""
    values = [row.value for s in stores for row in s.metrics if row.name == "faas.invocations"]
    return sum(value for value in values if isinstance(value, int | float))


def printed_on(whole: Whole, stream: str) -> Sequence[str]:
    """Return what the extension has printed on a stream."""
    return [line.text for line in whole.sandbox.output[NAME] if line.stream == stream]


async def test_collector_gone_then_replayed(tmp_path: Path) -> None:
    """Killed half way: before it and after the replay everything has arrived, once."""
    environ = {"LOGGER_EXTENSION_FLUSH_POLICY": "end"}
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Collector())
        async with run_whole(tmp_path, endpoint=first.endpoint, environ=environ) as whole:
            lines = await invoke(whole, 0, 1)
            assert bodies_in(first.store) == Counter(lines)
            await stack.aclose()
            lines += await invoke(whole, 2, 3)
            await whole.sandbox.shutdown()
            log = "\n".join(line.text for line in whole.sandbox.output[NAME])
    assert bodies_in(first.store) == Counter(lines[:4])
    async with Collector() as second:
        code, _, err = await replay("-", "--endpoint", second.endpoint, given=log.encode())
        assert (code, err) == (0, "")
        stores = (first.store, second.store)
        assert bodies_in(*stores) == Counter(lines)
        ids = Counter(span.attributes["faas.invocation_id"] for span in server_spans_in(*stores))
        assert sorted(ids.values()) == [1, 1, 1, 1]
        assert invocations_counted_in(*stores) == 4
        # A record and its span still belong together.
        spans = {(span.trace_id, span.span_id) for span in server_spans_in(*stores)}
        assert {(row.trace_id, row.span_id) for row in second.store.logs} <= spans


async def test_lines_are_whole_and_short(tmp_path: Path, unused_port: int) -> None:
    """A megabyte of lines: each line of the fallback is a request that CloudWatch does not cut."""
    endpoint = f"http://127.0.0.1:{unused_port}"
    event = {"lines": [f"{n:04d}" + "x" * 1_000 for n in range(1_000)]}
    async with run_whole(tmp_path, endpoint=endpoint, scenario={"memory_size_mb": 1_024}) as whole:
        assert (await whole.sandbox.invoke(json.dumps(event).encode())).status == "success"
        await whole.sandbox.wait_idle()
        await whole.sandbox.shutdown()
        written = printed_on(whole, "stdout")
    assert len(written) > 5
    assert max(len(line.encode()) for line in written) <= 200_000
    async with Collector() as collector:
        given = "\n".join(written).encode()
        code, out, _ = await replay("-", "--endpoint", collector.endpoint, given=given)
        assert code == 0
        assert "0 other lines were skipped." in out
        assert [row.body for row in collector.store.logs] == event["lines"]


async def test_nothing_is_written_that_was_delivered(tmp_path: Path) -> None:
    """With a collector that answers there is no line."""
    async with run_whole(tmp_path) as whole:
        lines = await invoke(whole, 0, 1)
        await whole.sandbox.shutdown()
        assert bodies_in(whole.collector.store) == Counter(lines)
        assert printed_on(whole, "stdout") == []


async def test_a_directory_can_be_replayed(tmp_path: Path, unused_port: int) -> None:
    """The files of a sandbox that is gone, on a file system that outlives it."""
    spool = tmp_path / "spool"
    environ = {"LOGGER_EXTENSION_FALLBACK": str(spool)}
    endpoint = f"http://127.0.0.1:{unused_port}"
    (tmp_path / "whole").mkdir()
    async with run_whole(tmp_path / "whole", endpoint=endpoint, environ=environ) as whole:
        lines = await invoke(whole, 0, 1)
        await whole.sandbox.shutdown()
        assert printed_on(whole, "stdout") == []
    async with Collector() as collector:
        code, _, err = await replay(spool, "--endpoint", collector.endpoint)
        assert (code, err) == (0, "")
        assert bodies_in(collector.store) == Counter(lines)
        assert len(server_spans_in(collector.store)) == 2


async def test_none_is_told(tmp_path: Path, unused_port: int) -> None:
    """Nothing is written, and what is lost is counted on stderr."""
    environ = {"LOGGER_EXTENSION_FALLBACK": "none"}
    endpoint = f"http://127.0.0.1:{unused_port}"
    async with run_whole(tmp_path, endpoint=endpoint, environ=environ) as whole:
        lines = await invoke(whole, 0)
        await whole.sandbox.shutdown()
        assert printed_on(whole, "stdout") == []
        told = [json.loads(line) for line in printed_on(whole, "stderr")]
    assert {"logs.undelivered": len(lines)}.items() <= told[-1].items()


@pytest.mark.parametrize("event", [{"sleep_s": 30}, {"exit": 3}], ids=["timeout", "crash"])
async def test_after_a_reset_the_spool_is_picked_up(
    tmp_path: Path, unused_port: int, event: dict[str, int]
) -> None:
    """The next process in the same sandbox sends what the one before wrote down, once."""
    spool = tmp_path / "spool"
    environ = {"LOGGER_EXTENSION_FALLBACK": str(spool)}
    endpoint = f"http://127.0.0.1:{unused_port}"
    (tmp_path / "whole").mkdir()
    async with run_whole(
        tmp_path / "whole", endpoint=endpoint, environ=environ, scenario=TIMEOUT
    ) as whole:
        lines = await invoke(whole, 0)
        payload = json.dumps({"lines": ["the last"], **event}).encode()
        assert (await whole.sandbox.invoke(payload)).status != "success"
        await whole.sandbox.wait_idle()
        assert list(spool.glob("*.logs.jsonl"))
        async with Collector(port=unused_port) as collector:
            later = await invoke(whole, 1, 2)
            await whole.sandbox.shutdown()
            assert bodies_in(collector.store) == Counter([*lines, "the last", *later])
            ids = Counter(
                span.attributes["faas.invocation_id"] for span in server_spans_in(collector.store)
            )
            assert sorted(ids.values()) == [1, 1, 1, 1]
            # `faas.invocations` counts those that succeeded.
            assert invocations_counted_in(collector.store) == 3
    assert list(spool.iterdir()) == []
