"""The whole, running: a function, the local Lambda, the extension as in the layer, a collector."""

import ast
import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy.stage import NAME, REPOSITORY, stage_layer, this_interpreter
from lambda_sandbox import Sandbox, Scenario
from otlp_viewer import Collector
from otlp_viewer.rows import LogRow, SpanRow

EXTENSION = f"extension:{NAME}"

# Prints what the event says, waits as long as it says, fails if it says so.
HANDLER = """
import json, sys, time

def handler(event, context):
    for line in event.get("lines", []):
        print(line)
    time.sleep(event.get("sleep_s", 0))
    if "error" in event:
        raise ValueError(event["error"])
    if event.get("exit") is not None:
        sys.stdout.flush()
        import os
        os._exit(event["exit"])
    for line in event.get("last_lines", []):
        print(line)
    return {"request_id": context.aws_request_id}
"""

SERVER = 2


@dataclass(frozen=True, slots=True)
class Whole:
    """A running whole."""

    sandbox: Sandbox
    collector: Collector

    @property
    def stderr(self) -> list[str]:
        """What the extension said on stderr so far."""
        return [line.text for line in self.sandbox.output[NAME] if line.stream == "stderr"]

    def logs(self) -> list[LogRow]:
        """Return the records at the collector."""
        return list(self.collector.store.logs)

    def bodies(self) -> list[Any]:
        """Return the bodies of the records at the collector, in order of arrival."""
        return [row.body for row in self.collector.store.logs]

    def server_spans(self) -> dict[str, SpanRow]:
        """Return the SERVER spans at the collector by request id; a doubled one is an error."""
        spans: dict[str, SpanRow] = {}
        for row in self.collector.store.spans:
            if row.kind == SERVER:
                request_id = str(row.attributes["faas.invocation_id"])
                assert request_id not in spans, f"two SERVER spans of {request_id}"
                spans[request_id] = row
        return spans

    def launcher_pid(self) -> int:
        """Return the process id of the launcher."""
        return self.sandbox.extension_pids[NAME]

    def python_pid(self) -> int | None:
        """Return the process id of the extension's Python, None while there is none."""
        try:
            pid = self.launcher_pid()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except (KeyError, FileNotFoundError):
            return None
        return int(children[0]) if children else None

    def kill_python(self) -> bool:
        """Kill the extension's Python as the kernel would; return whether there was one."""
        pid = self.python_pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        return True


@asynccontextmanager
async def run_whole(
    folder: Path,
    *,
    handler: str = HANDLER,
    environ: Mapping[str, str] | None = None,
    endpoint: str | None = None,
    extensions: Path | None = None,
    scenario: Mapping[str, Any] | None = None,
) -> AsyncIterator[Whole]:
    """Run a function with the extension.

    Args:
        folder: an empty folder of the test.
        handler: the source of `app.py`, with a function `handler`.
        environ: variables of the function beside the endpoint.
        endpoint: where the extension sends, None for the collector, empty for nowhere.
        extensions: a folder laid by the test, None for the layer as it is.
        scenario: fields of `lambda_sandbox.Scenario`.
    """
    task_root = folder / "task"
    task_root.mkdir()
    (task_root / "app.py").write_text(handler)
    if extensions is None:
        extensions = stage_layer(folder / "opt", interpreter=this_interpreter())
    async with Collector() as collector:
        # Other runs on this machine have these ports as well: none is fixed, and the receiver for
        # the function's own SDK is on only where a test asks for it.
        variables = {
            "LOGGER_EXTENSION_TELEMETRY_PORT": "0",
            "LOGGER_EXTENSION_OTLP_RECEIVER": "off",
        }
        if endpoint != "":
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint or collector.endpoint
        asked = Scenario(
            task_root=task_root, extensions=extensions, environment=variables | dict(environ or {})
        )
        async with Sandbox(replace(asked, **(scenario or {}))) as sandbox:
            yield Whole(sandbox, collector)


def stage_copy(folder: Path) -> tuple[Path, Path]:
    """Lay the layer with a copy of our package; return extensions folder and package folder."""
    extensions = stage_layer(folder / "opt", interpreter=this_interpreter())
    package = folder / "opt" / NAME / "logger_extension"
    package.unlink()
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "logger_extension", package, ignore=ignored)
    return extensions, package


class _Sabotage(ast.NodeTransformer):
    """Makes every function of a module raise when it is called."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Replace the body."""
        node.body = ast.parse("raise RuntimeError('sabotage')").body
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Replace the body."""
        node.body = ast.parse("raise RuntimeError('sabotage')").body
        return node


def sabotage_functions(module: Path) -> None:
    """Make every function in a source file raise when it is called."""
    tree = _Sabotage().visit(ast.parse(module.read_text()))
    module.write_text(ast.unparse(ast.fix_missing_locations(tree)))


async def serve_silence() -> asyncio.Server:
    """Return a server on a free port that accepts, reads, and never answers."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    return await asyncio.start_server(swallow, "127.0.0.1", 0)


def address_of(server: asyncio.Server) -> str:
    """Return the URL of a server."""
    host, port = server.sockets[0].getsockname()
    return f"http://{host}:{port}"
