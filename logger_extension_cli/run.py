"""`logger-extension run`: the user's own handler in the local Lambda, with the extension.

Checks what was asked for before anything starts, plays it, and shows what reached the collector.
"""

import argparse
import asyncio
import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lambda_sandbox import InitType, Scenario
from logger_extension_cli.arrival import await_arrival
from logger_extension_cli.errors import UsageError
from logger_extension_cli.play import (
    Call,
    Played,
    error_message,
    make_scenario,
    play,
    staged_extension,
)
from logger_extension_cli.screen import Screen
from otlp_viewer import Collector

EXIT_MISSING = 1
EXIT_FAILED_INVOCATION = 3

MAX_COMPLAINTS = 20

# The runtime found no function to call: then the argument is wrong, not the function.
_NO_HANDLER = frozenset(
    {
        "Runtime.HandlerNotFound",
        "Runtime.ImportModuleError",
        "Runtime.MalformedHandlerName",
        "Runtime.UserCodeSyntaxError",
    }
)


def execute(arguments: argparse.Namespace) -> int:
    """Run the handler and return the exit code."""
    task_root, handler = find_handler(arguments.handler)
    calls = [Call(read_event(arguments.event))] * arguments.invocations
    freeze_ms: int = arguments.freeze_ms
    with ExitStack() as stack:
        if arguments.extensions is None:
            extensions = stack.enter_context(staged_extension())
        else:
            extensions = arguments.extensions.resolve()
        scenario = make_scenario(
            task_root=task_root,
            handler=handler,
            extensions=extensions,
            memory_size_mb=arguments.memory,
            timeout_ms=arguments.timeout_ms,
            init_type=InitType(arguments.init_type),
            environment=parse_environment(arguments.env),
        )
        if arguments.endpoint:
            return asyncio.run(_run_against(arguments.endpoint, scenario, calls))
        is_ours = arguments.extensions is None
        return asyncio.run(_run_with_collector(scenario, calls, is_ours=is_ours))


def find_handler(text: str) -> tuple[Path, str]:
    """Return the folder of `path/app.py:handler` and the handler as Lambda names it."""
    path, colon, function = text.rpartition(":")
    file = Path(path)
    if not colon or not function.isidentifier() or file.suffix != ".py":
        raise UsageError(f"{text!r} is not of the form path/app.py:handler")
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    return file.resolve().parent, f"{file.stem}.{function}"


def read_event(file: Path | None) -> bytes:
    """Return the payload in `file`, checked to be JSON; an empty object without a file."""
    if file is None:
        return b"{}"
    try:
        payload = file.read_bytes()
        json.loads(payload)
    except OSError as error:
        raise UsageError(f"--event: cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--event: {file} is not JSON: {error}") from error
    return payload


def parse_environment(pairs: list[str]) -> dict[str, str]:
    """Return the variables of `K=V` arguments; of a key that comes twice the last value stays."""
    environment = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"--env: {pair!r} is not of the form KEY=VALUE")
        environment[key] = value
    return environment


async def _run_against(endpoint: str, scenario: Scenario, calls: list[Call]) -> int:
    """Run against a collector that is not ours, of whose data nothing can be said here."""
    screen = Screen()
    played = await _play(screen, endpoint, scenario, calls)
    _tell(screen, played)
    screen.say(f"\nThe telemetry went to {endpoint}.")
    return _exit_code(played, missing=[])


async def _run_with_collector(scenario: Scenario, calls: list[Call], *, is_ours: bool) -> int:
    """Run against the viewer and show what arrived; what must have is known only of our own."""
    screen = Screen()
    async with Collector() as collector:
        played = await _play(screen, collector.endpoint, scenario, calls)
        store = collector.store
        missing = await await_arrival(store, played.results, played.printed)
    screen.head("Invocations")
    screen.show_invocations(store)
    if traces := [invocation.span.trace_id for invocation in store.invocations()]:
        screen.head("Trace of the first")
        screen.show_trace(store, traces[0])
    screen.head("Logs")
    screen.show_logs(store)
    _tell(screen, played)
    screen.head("In all")
    screen.show_summary(collector)
    if is_ours:
        screen.tell_missing(missing)
        return _exit_code(played, missing)
    return _exit_code(played, missing=[])


async def _play(screen: Screen, endpoint: str, scenario: Scenario, calls: list[Call]) -> Played:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **scenario.environment}
    screen.head("Invoking")
    played = await play(replace(scenario, environment=environment), calls, screen.show_result)
    first = played.results[0]
    if first.error_type in _NO_HANDLER:
        raise UsageError(f"{scenario.handler}: {first.error_type}: {error_message(first)}")
    return played


def _tell(screen: Screen, played: Played) -> None:
    """Print what else is worth knowing: what extensions said, what the sandbox could not do."""
    if played.complaints:
        screen.head("What the extensions printed")
        screen.quote(played.complaints[-MAX_COMPLAINTS:])
    for note in played.notes:
        screen.say(f"Note: {note}", style="dim")


def _exit_code(played: Played, missing: list[str]) -> int:
    if any(result.status != "success" for result in played.results):
        return EXIT_FAILED_INVOCATION
    return EXIT_MISSING if missing else 0
