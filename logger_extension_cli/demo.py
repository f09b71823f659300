"""`logger-extension demo`: the whole way in a minute, explained to someone who sees it first.

A sample function, the launcher and the extension as Lambda would start them, six invocations, and
what reached the collector. Owns the story and its words.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from lambda_sandbox import Scenario
from logger_extension_cli.arrival import await_arrival
from logger_extension_cli.errors import CommandError, UsageError
from logger_extension_cli.installed import require
from logger_extension_cli.play import Call, make_scenario, play, run_to_end, staged_extension
from logger_extension_cli.screen import Screen, make_recorder
from otlp_viewer import Collector

EXIT_MISSING = 1

# The example of AWS's documentation of the header.
TRACE_HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
FREEZE_MS = 150
MEMORY_SIZE_MB = 512

_START = """
This machine now plays AWS Lambda: it starts the extension's launcher, then AWS's own Python
runtime with examples/hello/app.py, which knows nothing of telemetry. The function is invoked six
times; in between all processes are frozen, as Lambda does it. Each line is what the caller gets.
"""
_INVOCATIONS = """
One span for each invocation: Lambda itself told the extension of start and end. "init ms" is the
cold start, "ext. ms" what extensions took after the handler, "cost" the list price of what was
billed (Lambda tells both one invocation late). The fourth raised and is still "ok": to Lambda's
telemetry only a crash or a timeout is a failure. Its exception is in the logs.
"""
_TRACE = """
The first invocation as a trace. Its caller sent an X-Ray header, so the span continues that trace.
"""
_LOGS = """
Every line that the function printed, tied to its invocation and its trace. A JSON line becomes a
record with severity and attributes; any other line is the text as it was.
"""
_NEXT = """\
Run it with another size, or run your own function:
  logger-extension run examples/hello/app.py:handler --memory 2048 \\
      --event examples/hello/event.json
  logger-extension run path/to/your.py:handler --event your.json
See it in a browser:
  logger-extension demo --web
A collector for anything that sends OTLP over HTTP:
  logger-extension collector
Other extensions, limits, your own collector:
  logger-extension run --help"""


def execute(arguments: argparse.Namespace) -> int:
    """Play the demo and return the exit code.

    Raises:
        UsageError: the page cannot be shown.
    """
    if arguments.web:
        require("web")
    elif arguments.port is not None:
        raise UsageError("--port is that of the page: it needs --web")
    screen = Screen(make_recorder()) if arguments.svg else Screen()
    with staged_extension() as extensions:
        scenario = make_scenario(
            task_root=find_example(),
            handler="app.handler",
            function_name="hello",
            extensions=extensions,
            memory_size_mb=MEMORY_SIZE_MB,
        )
        exit_code = run_to_end(_demonstrate(scenario, screen, arguments))
    if arguments.svg:
        picture = screen.export_picture("make demo")
        # As on Lambda, and the same wherever the picture was made.
        arguments.svg.write_text(picture.replace(str(find_example()), "/var/task"))
    return exit_code


def find_example() -> Path:
    """Return the folder of the sample function: in a checkout, or beside this module in a wheel."""
    here = Path(__file__).resolve().parent
    for folder in (here.parent, here):
        if (example := folder / "examples" / "hello").is_dir():
            return example
    raise CommandError("the sample function is not installed; run the demo from a checkout")


def make_calls() -> list[Call]:
    """Return the six invocations: the first is traced by its caller, the fourth one raises."""
    names = [["Ada"], ["Grace", "Linus"], ["guido"], [], ["Barbara", "Ken"], ["Margaret"]]
    payloads = [json.dumps({"names": some}).encode() for some in names]
    return [Call(payloads[0], TRACE_HEADER), *map(Call, payloads[1:])]


async def _demonstrate(scenario: Scenario, screen: Screen, arguments: argparse.Namespace) -> int:
    """Play and explain; with --web, keep the page until a signal comes. Return the exit code."""
    if not arguments.web:
        async with Collector() as collector:
            return await _show(scenario, screen, collector)
    from logger_extension_cli.demo_web import open_page, show_page  # noqa: PLC0415 - needs DuckDB

    async with open_page(arguments.port) as collector:
        exit_code = await _show(scenario, screen, collector)
        await show_page(screen, collector)
    return exit_code


async def _show(scenario: Scenario, screen: Screen, collector: Collector) -> int:
    screen.head("1. Six invocations", _START)
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
    played = await play(
        replace(scenario, environment=environment),
        make_calls(),
        screen.show_result,
        freeze_ms=FREEZE_MS,
    )
    store = collector.store
    missing = await await_arrival(store, played.results, played.printed)
    screen.head("2. What reached the collector", _INVOCATIONS)
    screen.show_invocations(store)
    screen.head("3. One trace", _TRACE)
    for invocation in store.invocations()[:1]:
        screen.show_trace(store, invocation.span.trace_id)
    screen.head("4. The logs", _LOGS)
    screen.show_logs(store)
    if played.complaints:
        screen.head("What the extension printed")
        screen.quote(played.complaints)
    screen.head("In all")
    screen.show_summary(collector)
    screen.tell_missing(missing)
    screen.head("What to try next")
    screen.say(_NEXT)
    return EXIT_MISSING if missing else 0
