"""`logger-extension run`: the user's own handler in the local Lambda, with the extension.

Checks what was asked for before anything starts, plays it, and shows what reached the collector.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_sandbox import InitType, Scenario
from logger_extension_cli.arrival import await_arrival
from logger_extension_cli.errors import UsageError
from logger_extension_cli.play import (
    Call,
    Played,
    describe_error,
    make_scenario,
    play,
    run_to_end,
    staged_extension,
)
from logger_extension_cli.screen import Screen
from otlp_viewer import Collector

EXIT_MISSING = 1
EXIT_FAILED_INVOCATION = 3

_MAX_COMPLAINTS = 20

# The runtime found no function to call: then the argument is wrong, not the function.
_NO_HANDLER = frozenset(
    {
        "Runtime.HandlerNotFound",
        "Runtime.ImportModuleError",
        "Runtime.MalformedHandlerName",
        "Runtime.UserCodeSyntaxError",
    }
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to play; `is_ours`: with our extension, of which we know what must arrive."""

    scenario: Scenario
    calls: Sequence[Call]
    freeze_ms: int
    is_ours: bool

    def sending_to(self, endpoint: str) -> "_Plan":
        """Return the plan with a collector; a variable that the user set wins."""
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **self.scenario.environment}
        return replace(self, scenario=replace(self.scenario, environment=environment))


def execute(arguments: argparse.Namespace) -> int:
    """Run the handler and return the exit code."""
    task_root, handler = find_handler(arguments.handler)
    payload = read_event(arguments.event)
    environment = parse_environment(arguments.env)
    with ExitStack() as stack:
        is_ours = arguments.extensions is None
        scenario = make_scenario(
            task_root=task_root,
            handler=handler,
            extensions=stack.enter_context(staged_extension())
            if is_ours
            else arguments.extensions.resolve(),
            memory_size_mb=arguments.memory,
            timeout_ms=arguments.timeout_ms,
            init_type=InitType(arguments.init_type),
            environment=environment,
        )
        calls = [Call(payload)] * arguments.invocations
        plan = _Plan(scenario, calls, arguments.freeze_ms, is_ours)
        if arguments.endpoint:
            return run_to_end(_run_against(arguments.endpoint, plan))
        return run_to_end(_run_with_collector(plan))


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


async def _run_against(endpoint: str, plan: _Plan) -> int:
    """Run against a collector that is not ours, of whose data nothing can be said here."""
    screen = Screen()
    played = await _play(screen, plan.sending_to(endpoint))
    _tell(screen, played)
    screen.say(f"\nThe telemetry went to {endpoint}.")
    return _exit_code(played, missing=[])


async def _run_with_collector(plan: _Plan) -> int:
    """Run against the viewer and show what arrived."""
    screen = Screen()
    async with Collector() as collector:
        played = await _play(screen, plan.sending_to(collector.endpoint))
        store = collector.store
        missing = await await_arrival(store, played.results, played.printed)
    screen.head("Invocations")
    screen.show_invocations(store)
    for invocation in store.invocations()[:1]:
        screen.head("Trace of the first")
        screen.show_trace(store, invocation.span.trace_id)
    screen.head("Logs")
    screen.show_logs(store)
    _tell(screen, played)
    screen.head("In all")
    screen.show_summary(collector)
    if not plan.is_ours:
        return _exit_code(played, missing=[])
    screen.tell_missing(missing)
    return _exit_code(played, missing)


async def _play(screen: Screen, plan: _Plan) -> Played:
    screen.head("Invoking")
    played = await play(plan.scenario, plan.calls, screen.show_result, freeze_ms=plan.freeze_ms)
    first = played.results[0]
    if first.error_type in _NO_HANDLER:
        raise UsageError(f"{plan.scenario.handler}: {describe_error(first)}")
    return played


def _tell(screen: Screen, played: Played) -> None:
    """Print what else is worth knowing: what extensions said, what the sandbox could not do."""
    if played.complaints:
        screen.head("What the extensions printed")
        screen.quote(played.complaints[-_MAX_COMPLAINTS:])
    for note in played.notes:
        screen.say(f"Note: {note}", style="dim")


def _exit_code(played: Played, missing: Sequence[str]) -> int:
    if any(result.status != "success" for result in played.results):
        return EXIT_FAILED_INVOCATION
    return EXIT_MISSING if missing else 0
