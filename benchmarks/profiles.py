"""What the extension is busy with in each case: a flame graph, and the imports of its start.

Writes, by pyinstrument, `CASE.html` for people and `CASE.speedscope.json` for speedscope.app, of
the extension at the work of that case, and `importtime.txt`, the tree of CPython's `-X importtime`,
microseconds a module. A profiled process is slower, so nothing is measured beside it: the shares in
it are figures, the times are not.
"""

import asyncio
import importlib
import tempfile
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.local_lambda import HERE, Setup, open_lane, run_server
from benchmarks.subjects import IDLE_EVENT
from deploy.stage import this_interpreter

PROFILED = HERE / "profiled"
IMPORTS = "importtime"
# Case to the invocations that show its work, and the lines of each.
WORK: Mapping[str, tuple[int, int]] = {
    "startup": (1, 0),
    "imports": (1, 0),
    "cold_start": (1, 0),
    "invocation": (300, 10),
    "slowdown": (30, 1_000),
    "receiving": (300, 10),
    "throughput": (3, 10_000),
    "memory_growth": (1_000, 10),
}


def profile(name: str, path: Path, invocations: int, lines: int) -> None:
    """Run a function with the extension under a profiler, until its shutdown.

    Args:
        name: of the work; that of the imports is without pyinstrument.
        path: what the profiled process writes.
        invocations: one after another.
        lines: of each.

    Raises:
        SystemExit: nothing was written; the message has what the extension said.
    """
    said = asyncio.run(_run(name, path.absolute(), invocations, lines))
    if not path.exists():
        raise SystemExit(f"{name}: no profile was written\n{said}")


async def _run(name: str, path: Path, invocations: int, lines: int) -> str:
    """Return what the extension has said."""
    runner = "" if name == IMPORTS else str(PROFILED / "runner.py")
    with tempfile.TemporaryDirectory() as folder:
        async with run_server("collector", "all=0") as collector:
            environ = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.addresses['all']}",
                "LOGGER_EXTENSION_PYTHON": str(PROFILED / "python3"),
                "BENCHMARK_PYTHON": str(this_interpreter()),
                "BENCHMARK_PROFILE": str(path),
                "BENCHMARK_RUNNER": runner,
                "BENCHMARK_PYINSTRUMENT": find_pyinstrument() if runner else "",
            }
            setup = Setup(name=name, extension="ours", environ=environ)
            async with open_lane(Path(folder), setup) as lane:
                for _ in range(invocations):
                    await lane.invoke({**IDLE_EVENT, "lines": lines})
        return lane.said()


def find_pyinstrument() -> str:
    """Return the folder that pyinstrument is installed in.

    Raises:
        SystemExit: it is not.
    """
    found = find_spec("pyinstrument")
    if found is None or found.origin is None:
        raise SystemExit("no pyinstrument: pip install pyinstrument")
    return str(Path(found.origin).parent.parent)


def render(session_path: Path, folder: Path, name: str) -> None:
    """Write a saved session for people and for speedscope."""
    sessions: Any = importlib.import_module("pyinstrument.session")
    renderers: Any = importlib.import_module("pyinstrument.renderers")
    session = sessions.Session.load(session_path)
    for suffix, renderer in (
        ("html", renderers.HTMLRenderer()),
        ("speedscope.json", renderers.SpeedscopeRenderer(show_all=True)),
    ):
        (folder / f"{name}.{suffix}").write_text(renderer.render(session), encoding="utf-8")


def profile_all(folder: Path, cases: Iterable[str]) -> None:
    """Write the profiles of cases into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    profile(IMPORTS, folder / f"{IMPORTS}.txt", 1, 0)
    with tempfile.TemporaryDirectory() as sessions:
        for name in cases:
            path = Path(sessions, name)
            profile(name, path, *WORK[name])
            render(path, folder, name)
