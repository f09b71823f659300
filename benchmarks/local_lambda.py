"""What benchmarks of the running whole share: a local Lambda, what runs in it, what is read off it.

Servers are processes of their own (see servers.py). Several sandboxes stand side by side; all but
the one whose turn it is are frozen, so that they can be compared in one run.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.stage import NAME, stage_layer, this_interpreter
from lambda_sandbox import Sandbox, Scenario

HERE = Path(__file__).resolve().parent
NOOP = HERE / "noop" / "noop-extension"
FUNCTION = (HERE / "function.py").read_text()

# Ports that other runs on this machine use as well are not ours to fix.
OWN_VARIABLES = {"LOGGER_EXTENSION_TELEMETRY_PORT": "0", "LOGGER_EXTENSION_OTLP_RECEIVER": "off"}


@dataclass(frozen=True, slots=True)
class Server:
    """A process beside the function, with its addresses by name."""

    process: asyncio.subprocess.Process
    addresses: Mapping[str, str]

    async def finish(self) -> dict[str, Any]:
        """End it and return what it has counted."""
        printed, _ = await self.process.communicate(b"")
        counts: dict[str, Any] = json.loads(printed)
        return counts


@asynccontextmanager
async def run_server(*arguments: str) -> AsyncIterator[Server]:
    """Run `servers.py` with these arguments until it has said its addresses."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "servers.py"), *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None  # noqa: S101  (asked for above)
    try:
        yield Server(process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One way to run the function.

    Attributes:
        name: of the row in a table.
        extension: `none`, `noop`, `ours`, or a folder that stands for /opt.
        environ: variables beside those that keep runs apart.
        scenario: fields of `lambda_sandbox.Scenario`.
    """

    name: str
    extension: str | Path
    environ: Mapping[str, str] = field(default_factory=dict)
    scenario: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoked:
    """What one invocation was like.

    Attributes:
        answer: the handler's.
        response_ms: from the call until the caller had it.
        before_ms: from the start of the phase until the runtime asked for the next event.
        after_ms: from there until all extensions had: `extensionOverhead` of `platform.report`.
    """

    answer: Any
    response_ms: float
    before_ms: float
    after_ms: float


class Lane:
    """A running function."""

    def __init__(self, name: str, sandbox: Sandbox) -> None:
        self.name = name
        self.sandbox = sandbox

    @property
    def init_ms(self) -> float:
        """How long the init phase took."""
        ended = self.sandbox.transcript.select("init.end")[0]
        duration_ms: float = ended.details["duration_ms"]
        return duration_ms

    async def invoke(
        self, event: Mapping[str, Any], answered: Callable[[], None] | None = None
    ) -> Invoked:
        """Invoke, and wait until the environment is frozen again.

        Args:
            event: what the handler gets.
            answered: called when the caller has its answer; extensions may go on for a while.

        Raises:
            SystemExit: the function failed.
        """
        result = await self.sandbox.invoke(json.dumps(event).encode())
        if answered is not None:
            answered()
        if result.status != "success":
            raise SystemExit(f"{self.name}: {result.status} {result.payload!r}\n{self.said()}")
        await self.sandbox.wait_idle()
        # From the end: after thousands of invocations a search of all would slow the next ones.
        find_last = self.sandbox.transcript.find_last
        start = find_last("invoke.start", request_id=result.request_id)
        end = find_last("invoke.end", request_id=result.request_id)
        done = find_last("next", actor="runtime")
        assert start and end and done  # noqa: S101, PT018  (it was invoked, and is idle)
        return Invoked(
            json.loads(result.payload),
            response_ms=result.response_ms,
            before_ms=done.time_ms - start.time_ms,
            after_ms=end.details["extension_overhead_ms"] or 0.0,
        )

    def said(self) -> str:
        """Return what our extension has said on stderr."""
        return self.sandbox.output.text(NAME)

    def extension_pid(self) -> int:
        """Return the process id of our extension's Python."""
        launcher = self.sandbox.extension_pids[NAME]
        children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text()
        return int(children.split()[0])


@asynccontextmanager
async def open_lane(folder: Path, setup: Setup, handler: str = FUNCTION) -> AsyncIterator[Lane]:
    """Start a function in a new folder below `folder`, with the extension that is asked for.

    Args:
        folder: where files may be laid.
        setup: what to run.
        handler: the source of `app.py`.
    """
    home = folder / setup.name.replace(" ", "-")
    task_root = home / "task"
    task_root.mkdir(parents=True)
    (task_root / "app.py").write_text(handler)
    scenario = {"memory_size_mb": 3_538, "timeout_ms": 60_000, **setup.scenario}
    asked = Scenario(
        task_root=task_root,
        extensions=_lay_extensions(home / "opt", setup.extension),
        environment={**OWN_VARIABLES, **setup.environ},
        **scenario,
    )
    async with Sandbox(asked) as sandbox:
        yield Lane(setup.name, sandbox)


def _lay_extensions(opt: Path, kind: str | Path) -> Path | None:
    if isinstance(kind, Path):
        return kind / "extensions"
    if kind == "none":
        return None
    if kind == "ours":
        return stage_layer(opt, interpreter=this_interpreter())
    extensions = opt / "extensions"
    extensions.mkdir(parents=True)
    shutil.copy(NOOP, extensions)
    return extensions


def turn(lanes: Sequence[Lane], number: int) -> Sequence[Lane]:
    """Return the lanes in the order of a round: each comes first as often as the others."""
    first = number % len(lanes)
    return [*lanes[first:], *lanes[:first]]
