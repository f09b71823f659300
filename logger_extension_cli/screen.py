"""What the commands print: the console, headings, explanations and the parts of the view.

Knows the viewer's renderables and rich; must not know how the data came about. Text of others goes
through the viewer or is cleaned here.
"""

import re
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from lambda_sandbox import InvokeResult
from logger_extension_cli.play import describe_error
from logger_extension_cli.terminal import make_console
from otlp_viewer import Collector, Store
from otlp_viewer.text import clean_line
from otlp_viewer.view import (
    render_invocations,
    render_logs,
    render_summary,
    render_trace,
)


def make_recorder() -> Console:
    """Return a console that keeps what it prints, in colour, for a picture."""
    return Console(
        highlight=False,
        emoji=False,
        markup=False,
        record=True,
        force_terminal=True,
        color_system="truecolor",
        width=100,
    )


class Screen:
    """The terminal or file that a command writes to; colours are `terminal`'s concern."""

    def __init__(self, console: Console | None = None) -> None:
        """Write to `console`, by default to stdout."""
        self.console = console or make_console()

    def export_picture(self, title: str) -> str:
        """Return what a recorder kept as SVG, in the reader's own fixed-width font."""
        svg = self.console.export_svg(title=title)
        # rich names fonts on another host; a picture in a repository must need none.
        return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)

    def say(self, text: str = "", *, style: str = "") -> None:
        """Print a line or paragraph of ours."""
        self.console.print(Text(text, style=style))

    def head(self, title: str, explanation: str = "") -> None:
        """Begin a part: a heading and, for newcomers, what it shows."""
        self.console.print()
        self.console.rule(Text(title, style="bold"), align="left", style="dim")
        if explanation:
            self.say(" ".join(explanation.split()), style="dim")
            self.console.print()

    def quote(self, lines: Iterable[str]) -> None:
        """Print lines of others, indented."""
        for line in lines:
            self.console.print(Text(f"  {clean_line(line)}"))

    def show_result(self, result: InvokeResult) -> None:
        """Print what the caller of the function got, in one line."""
        style = "green" if result.status == "success" else "red"
        answer = (
            result.payload.decode(errors="replace")
            if result.status == "success"
            else describe_error(result)
        )
        self.console.print(
            Text.assemble(
                f"{clean_line(result.request_id)[:8]} ",
                (f"{result.status:<8}", style),
                f"{result.response_ms:8,.1f} ms  {clean_line(answer, max_chars=200)}",
            )
        )

    def tell_missing(self, missing: Sequence[str]) -> None:
        """Print the verdict: that everything has arrived, or what has not."""
        if not missing:
            self.say("Everything that was done and printed has arrived, once.", style="green")
        for sentence in missing:
            self.console.print(Text(f"Missing: {clean_line(sentence)}", style="red"))

    def show_invocations(self, store: Store) -> None:
        """Print the table of invocations, or that there is none."""
        invocations = store.invocations()
        if invocations:
            self.console.print(render_invocations(invocations, store.logs))
        else:
            self.say("No span of an invocation arrived.")

    def show_trace(self, store: Store, trace_id: str) -> None:
        """Print one trace as a tree."""
        self.console.print(render_trace(store.trace(trace_id)))

    def show_logs(self, store: Store) -> None:
        """Print all logs in order of arrival."""
        if store.logs:
            self.console.print(render_logs(store.logs))
        else:
            self.say("No log record arrived.")

    def show_summary(self, collector: Collector) -> None:
        """Print what came in all, and what was refused or evicted."""
        self.console.print(render_summary(collector.store, collector.requests, collector.refused))
