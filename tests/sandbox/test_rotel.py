"""A real collector: rotel receives what the extension sends, and prints it."""

import json
from pathlib import Path

import pytest

from tests.support.rotel import HAS_ROTEL, run_rotel
from tests.support.whole import run_whole

pytestmark = pytest.mark.skipif(not HAS_ROTEL, reason="rotel has no wheel for this Python")


async def test_rotel_prints_logs_and_spans(
    tmp_path: Path, unused_port: int, unused_port_2: int
) -> None:
    """A log record with its attributes and a SERVER span arrive at a collector that is not ours."""
    line = json.dumps({"level": "ERROR", "message": "no stock", "sku": 17})
    event = json.dumps({"lines": ["plain words", line]}).encode()
    async with run_rotel(unused_port, unused_port_2) as rotel:
        endpoint = f"http://127.0.0.1:{rotel.http_port}"
        async with run_whole(tmp_path, endpoint=endpoint) as whole:
            result = await whole.sandbox.invoke(event)
            await whole.sandbox.shutdown()
            assert whole.stderr == []
        printed = await rotel.read_until(
            "plain words", "no stock", "sku", "sandbox-function", "extensionOverhead"
        )
        assert printed.count(result.request_id) >= 3
        assert "faas.coldstart" in printed
