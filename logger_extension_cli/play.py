"""A scenario played: one sandbox, its invocations with a freeze between, and its end.

Shared by `demo` and `run`. Owns the folder that stands for `/opt` while it is played. Must not know
what is printed, nor judge what arrived: that is `arrival`'s.
"""

import asyncio
import json
import signal
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.stage import stage_layer, this_interpreter
from lambda_sandbox import InvokeResult, Sandbox, SandboxError, Scenario
from logger_extension_cli.errors import UsageError

RUNTIME = "runtime"
EXIT_TERMINATED = 143  # 128 + SIGTERM, as shells have it


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation to make: its payload, and the X-Ray header where the caller traces."""

    payload: bytes
    trace_header: str | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What happened, as the sandbox saw it.

    `printed` are the lines that the function printed, in order; `complaints` those of the
    extensions, each with its name before it; `notes` what the sandbox could not do here.
    """

    results: tuple[InvokeResult, ...]
    printed: tuple[str, ...]
    complaints: tuple[str, ...]
    notes: tuple[str, ...]


@contextmanager
def staged_extension() -> Iterator[Path]:
    """Lay the layer's tree in a temporary folder; yield its folder of extensions."""
    with tempfile.TemporaryDirectory(prefix="logger-extension-") as folder:
        yield stage_layer(Path(folder) / "opt", interpreter=this_interpreter())


def make_scenario(**fields: Any) -> Scenario:
    """Return the scenario with these fields.

    Raises:
        UsageError: it cannot be played; the message names the field.
    """
    try:
        return Scenario(**fields)
    except SandboxError as error:
        raise UsageError(str(error)) from error


def describe_error(result: InvokeResult) -> str:
    """Return the type and message of a failed invocation in one line."""
    try:
        message = json.loads(result.payload)["errorMessage"]
    except (ValueError, TypeError, KeyError):
        return result.error_type or result.status
    return f"{result.error_type or result.status}: {message}"


def run_to_end(main: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine and return its exit code; SIGTERM ends it as tidily as Ctrl-C.

    The processes of a sandbox have groups of their own: a command that just died would leave them.
    """

    async def guarded() -> int:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await main

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        return EXIT_TERMINATED


async def play(
    scenario: Scenario,
    calls: Sequence[Call],
    on_result: Callable[[InvokeResult], None],
    *,
    freeze_ms: int,
) -> Played:
    """Make the calls one after the other, then shut down.

    Args:
        scenario: the function and the Lambda around it.
        calls: the invocations.
        on_result: gets each result as it comes.
        freeze_ms: how long the processes stay frozen before the next call.

    Raises:
        UsageError: the scenario cannot be played here.
    """
    results: list[InvokeResult] = []
    try:
        async with Sandbox(scenario) as sandbox:
            for call in calls:
                if results:
                    # Not by the scenario's min_freeze_ms, which would count as the caller's wait.
                    await asyncio.sleep(freeze_ms / 1_000)
                result = await sandbox.invoke(call.payload, trace_header=call.trace_header)
                results.append(result)
                on_result(result)
                await sandbox.wait_idle()
            await sandbox.shutdown()
    except SandboxError as error:
        raise UsageError(str(error)) from error
    output = sandbox.output
    return Played(
        results=tuple(results),
        printed=tuple(line.text for line in output[RUNTIME]),
        complaints=tuple(
            f"{name}: {line.text}" for name in output if name != RUNTIME for line in output[name]
        ),
        notes=tuple(sandbox.notes),
    )
