"""The whole extension on AWS's emulator: launcher and Python as in the layer, and a collector.

Owns: where the parts of the layer are seen inside, and the way out to the collector. Must not know
what a test makes of it.
"""

from __future__ import annotations

import contextlib
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

import logger_extension
from deploy.stage import NAME, place_launcher
from otlp_viewer import Collector
from tests.support.rie import Emulator, Tree

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable

    from otlp_viewer import SpanRow
    from tests.support.namespace import Process

_COLLECTOR_PORT = 14318
LISTENER_PORT = 4243  # ports of the inside
_SERVER = 2  # SpanKind of OTLP
PYTHON_ELSEWHERE = "var/python"  # where no launcher looks for an interpreter


@dataclass(frozen=True, slots=True)
class Whole:
    """The emulator with the extension in it, and what it sends to."""

    emulator: Emulator
    collector: Collector

    def python(self) -> Process | None:
        """Give the extension's Python process, None while there is none."""
        inside = self.emulator.namespace.processes()
        return next((one for one in inside if f"/opt/{NAME}" in one.argv), None)

    def server_spans(self) -> dict[str, SpanRow]:
        """Give the spans of invocations that arrived, by request id; each may come once."""
        spans = [span for span in self.collector.store.spans if span.kind == _SERVER]
        by_id = {str(span.attributes["faas.invocation_id"]): span for span in spans}
        assert len(by_id) == len(spans), f"doubled: {spans}"
        return by_id


def serve_inside(collector: Collector) -> Callable[[socket.socket], Awaitable[None]]:
    """Give what lets the server of a collector listen inside too."""

    async def serve(listener: socket.socket) -> None:
        assert collector._runner is not None
        await web.SockSite(collector._runner, listener).start()

    return serve


@contextlib.asynccontextmanager
async def run_whole(
    tree: Tree,
    *,
    max_concurrency: int | None = None,
    python_home: str = "var/lang",
) -> AsyncIterator[Whole]:
    """Run the function of *tree* with the extension beside it."""
    mounts = (
        (Path(logger_extension.__file__).parent, f"opt/{NAME}/logger_extension"),
        (Path(sysconfig.get_path("purelib")), f"opt/{NAME}/site-packages"),
    )
    for _, target in mounts:
        (tree.root / target).mkdir(parents=True)
    (tree.root / python_home).mkdir(exist_ok=True)
    place_launcher(tree.extensions)
    async with Collector() as collector:
        emulator = Emulator(
            tree,
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{_COLLECTOR_PORT}",
                "LOGGER_EXTENSION_TELEMETRY_PORT": str(LISTENER_PORT),
            },
            max_concurrency=max_concurrency,
            mounts=mounts,
            servers={_COLLECTOR_PORT: serve_inside(collector)},
            python_home=python_home,
        )
        async with emulator:
            yield Whole(emulator, collector)
