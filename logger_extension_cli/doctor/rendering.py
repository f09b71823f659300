"""A report for people, and one for programs.

Owns the layout. On a terminal rich colours it, where it is installed; else it is plain text, one
line for each finding. Must not know what was checked.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from logger_extension_cli.doctor.masking import Masking
from logger_extension_cli.doctor.report import Report, Status
from logger_extension_cli.terminal import has_colours, has_rich, make_console

STYLES = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.FAILED: "bold red",
    Status.SKIPPED: "dim",
}

# A line and how it looks on a terminal.
Line = tuple[str, str]


def print_report(
    report: Report, masking: Masking, *, is_json: bool, is_strict: bool, shows_all: bool
) -> None:
    """Print a report to stdout; no secret that `masking` knows is in it."""
    if is_json:
        print(json.dumps(_mask(as_json(report, is_strict=is_strict), masking), indent=2))
        return
    lines = [
        (clean(masking.hide(text)), style) for text, style in draw(report, shows_all=shows_all)
    ]
    if not (has_colours(sys.stdout) and has_rich()):
        print("\n".join(text for text, _ in lines))
        return
    from rich.text import Text  # noqa: PLC0415  (of the viewer extra)

    console = make_console()
    for text, style in lines:
        console.print(Text(text, style=style), soft_wrap=True)


def as_json(report: Report, *, is_strict: bool) -> dict[str, object]:
    """Return a report as JSON has it; `exit_code` is that of the command."""
    return {
        "origin": report.origin,
        "exit_code": report.exit_code(is_strict=is_strict),
        "checks": [asdict(each) for each in report.checks],
        "plans": {each.name: each.text for each in report.plans},
        "settings": [asdict(each) for each in report.settings],
    }


def draw(report: Report, *, shows_all: bool) -> Iterator[Line]:
    """Yield the lines of a report."""
    yield f"Settings, from {report.origin}", "bold"
    shown = [each for each in report.settings if shows_all or each.is_set]
    for each in shown:
        yield f"  {each.name} = {each.value}", ""
        yield f"      {each.origin}. {each.meaning}", "dim"
    if not shown:
        yield "  none is set", ""
    if report.plans:
        yield from (("", ""), ("What the extension does with them", "bold"))
    for plan in report.plans:
        yield f"  {plan.name:<13}{plan.text}", ""
    yield from (("", ""), ("Checks", "bold"))
    for check in report.checks:
        yield f"  {check.status:<13}{check.name}: {check.text}", STYLES[check.status]
        if check.advice:
            yield f"{'':15}-> {check.advice}", STYLES[check.status]
    yield from (("", ""), _draw_verdict(report))


def clean(text: str) -> str:
    """Return one line without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _draw_verdict(report: Report) -> Line:
    failed, warnings, skipped = (
        report.count(each) for each in (Status.FAILED, Status.WARNING, Status.SKIPPED)
    )
    worst = Status.FAILED if failed else Status.WARNING if warnings else Status.OK
    return f"{failed} failed, {warnings} warnings, {skipped} not checked", STYLES[worst]


def _mask(value: object, masking: Masking) -> object:
    if isinstance(value, str):
        return masking.hide(value)
    if isinstance(value, dict):
        return {name: _mask(each, masking) for name, each in value.items()}
    return [_mask(each, masking) for each in value] if isinstance(value, list) else value
