"""All checks of one function, in their order.

Owns which checks there are and what the report says when the settings cannot work at all. Must not
know how a report is shown.
"""

from typing import TYPE_CHECKING

from logger_extension.config import is_strict
from logger_extension.errors import ConfigError
from logger_extension.exporters.protocols import open_exporter
from logger_extension.settings.export import Target
from logger_extension_cli.doctor.collectors import check_collectors
from logger_extension_cli.doctor.function import Function
from logger_extension_cli.doctor.masking import Masking
from logger_extension_cli.doctor.plan import make_plans
from logger_extension_cli.doctor.prices import check_prices
from logger_extension_cli.doctor.report import Check, Report, Status
from logger_extension_cli.doctor.settings import (
    check_settings,
    explain_settings,
    read_config,
    repeat_complaint,
)
from logger_extension_cli.doctor.variables import is_set

if TYPE_CHECKING:
    from logger_extension.config import Config

MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
MS_PER_S = 1_000

# Of settings with which nothing can be sent.
EFFECT = "the function runs without telemetry"
STRICT_EFFECT = "the function's init fails, as LOGGER_EXTENSION_STRICT is set"

NO_LAYER = Check(
    name="layer",
    status=Status.WARNING,
    text="the function has no layers, so the extension is not there",
    advice="see docs/deploy.md",
)


def examine(function: Function, *, is_offline: bool, timeout_ms: int) -> tuple[Report, Masking]:
    """Return what was found, and what knows the secrets that must not be printed.

    Args:
        function: whose settings are looked at.
        is_offline: whether no connection may be opened.
        timeout_ms: the most that a step of a check may take.
    """
    environ = function.environ
    masking = Masking(environ)
    report = Report(origin=function.origin)
    config: Config | None = None
    try:
        config = read_config(environ)
    except ConfigError as error:
        effect = STRICT_EFFECT if is_strict(environ) else EFFECT
        text = f"{effect}: {repeat_complaint(str(error), environ, masking)}"
        report.checks.append(Check(name="settings", status=Status.FAILED, text=text))
    complaints = config.complaints if config is not None else ()
    if function.has_layers is False:
        report.checks.append(NO_LAYER)
    report.settings = explain_settings(environ, complaints, masking)
    report.checks += check_settings(environ, complaints, masking)
    if config is None:
        return report, masking
    if not any(each.name == "settings" for each in report.checks):
        report.checks.append(Check(name="settings", status=Status.OK, text="every value is used"))
    report.plans = make_plans(config, knows_memory=is_set(MEMORY, environ))
    report.checks.append(check_prices(config, function.machine, function.ephemeral_mb))
    export = config.export
    targets = [each for each in (export.logs, export.traces, export.metrics) if each is not None]
    if is_offline:
        report.checks += [_check_exporter(each) for each in targets]
    else:
        timeout_s = timeout_ms / MS_PER_S
        report.checks += check_collectors(targets, environ, masking, timeout_s)
    return report, masking


def _check_exporter(target: Target) -> Check:
    """Return whether a target's files and library are here; nothing is sent."""
    name = f"{target.signal} export"
    try:
        open_exporter(target)
    except ConfigError as error:
        return Check(name=name, status=Status.FAILED, text=str(error))
    return Check(name=name, status=Status.SKIPPED, text="--offline: nothing was sent")
