# ruff: noqa: INP001 - a script
"""The pictures of the web view in README and docs: `python -m docs.take_screenshots`.

Plays the demo's sample function in the local Lambda in two memory sizes, with the extension sending
to the pages, and takes pictures of them with chromium. What they show is what the extension sent.
"""

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from logger_extension_cli.arrival import await_arrival
from logger_extension_cli.demo import FREEZE_MS, find_example, make_calls
from logger_extension_cli.play import Played, make_scenario, play, staged_extension
from otlp_viewer import Collector
from otlp_viewer.database import Database
from tests.support.browser import MISSING, Browser, open_browser
from tests.support.web_pages import serve_pages

PICTURES = Path(__file__).resolve().parent / "pictures"
MEMORY_SIZES_MB = (512, 2048)
SIZE_PX = 1280, 800
_RENAME = """UPDATE otel_logs SET Body = replace(Body, $here, '/var/task'),
  LogAttributes = map_from_entries(list_transform(map_entries(LogAttributes),
    lambda entry: {'key': entry.key, 'value': replace(entry.value, $here, '/var/task')}))"""


def main() -> int:
    """Take the pictures and return the exit code."""
    if MISSING:
        sys.stderr.write(f"not installed: {MISSING}; on Debian: apt install chromium-driver\n")
        return 1
    with Database() as database:
        asyncio.run(_play_and_take(database))
    return 0


async def _play_and_take(database: Database) -> None:
    async with serve_pages(database) as collector:
        played = [await _play(collector, memory_size_mb) for memory_size_mb in MEMORY_SIZES_MB]
        missing = await await_arrival(
            collector.store,
            [result for each in played for result in each.results],
            [line for each in played for line in each.printed],
        )
        if missing:
            raise RuntimeError(f"has not arrived: {missing}")
        # As on Lambda, and the same wherever the pictures are made.
        database.connection.execute(_RENAME, {"here": str(find_example())})
        await asyncio.to_thread(_take, collector)


async def _play(collector: Collector, memory_size_mb: int) -> Played:
    with staged_extension() as extensions:
        scenario = make_scenario(
            task_root=find_example(),
            handler="app.handler",
            function_name="hello",
            extensions=extensions,
            memory_size_mb=memory_size_mb,
        )
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        return await play(
            replace(scenario, environment=environment),
            make_calls(),
            lambda _result: None,
            freeze_ms=FREEZE_MS,
        )


def _take(collector: Collector) -> None:
    first = collector.store.invocations()[0]
    invocation = "/invocation?" + urlencode({"request": first.request_id})
    pages = {
        "web-invocations": "/",
        "web-invocation": invocation,
        "web-logs": "/logs",
        "web-cost": "/cost?by=memory",
        "web-health": "/health",
    }
    with tempfile.TemporaryDirectory() as folder, open_browser(Path(folder)) as browser:
        browser.set_size(*SIZE_PX)
        for name, path in pages.items():
            _take_one(browser, collector.endpoint + path, PICTURES / f"{name}.png")
        browser.set_theme("dark")
        _take_one(browser, collector.endpoint + invocation, PICTURES / "web-invocation-dark.png")


def _take_one(browser: Browser, address: str, picture: Path) -> None:
    browser.show(address)
    browser.wait_for("return document.getElementById('live').textContent === 'live'")
    count = browser.evaluate("return document.querySelectorAll('.chart').length")
    browser.wait_for("return document.querySelectorAll('.chart .main-svg').length", at_least=count)
    browser.take_screenshot(picture)


if __name__ == "__main__":
    sys.exit(main())
