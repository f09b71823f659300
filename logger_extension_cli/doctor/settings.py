"""The settings as the extension reads them: each variable explained, each slip told.

Owns what is told of a variable. What a value means is the extension's own to say: its complaints
are repeated. Must not know how a report is shown.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from logger_extension.config import Config
from logger_extension.environment import Environment
from logger_extension_cli.doctor.masking import MASKED, Masking
from logger_extension_cli.doctor.places import split_proxy
from logger_extension_cli.doctor.report import Check, Setting, Status
from logger_extension_cli.doctor.variables import (
    STANDARD_EXPORTER,
    VARIABLES,
    Variable,
    find_exceptions,
    find_replacement,
    find_slips,
    is_set,
)

TELEMETRY_PORT = "LOGGER_EXTENSION_TELEMETRY_PORT"

# The value that a complaint of the extension repeats.
QUOTED = re.compile(r"""(?<==)('[^']*'|"[^"]*")""")

EXPORTER_NAME = re.compile(rf"\b{STANDARD_EXPORTER}[A-Z_]+")


def read_config(environ: Mapping[str, str]) -> Config:
    """Return the settings as the extension reads them on Lambda.

    There it also knows the number of processors, which only matters where it is lower than the
    memory size lets expect.

    Raises:
        ConfigError: nothing can be delivered with these settings.
    """
    port = Environment(environ).integer(TELEMETRY_PORT, 4328, 0, 65_535)
    return Config.from_env(environ, telemetry_port=port)


def explain_settings(
    environ: Mapping[str, str], complaints: Sequence[str], masking: Masking
) -> list[Setting]:
    """Return every variable, but for variants that are not set."""
    return [
        _explain(each, environ, complaints, masking)
        for each in VARIABLES.values()
        if is_set(each.name, environ) or not each.is_variant
    ]


def check_settings(
    environ: Mapping[str, str], complaints: Sequence[str], masking: Masking
) -> Iterator[Check]:
    """Yield a warning for each value that is not used and each name that is a likely slip."""
    for complaint in complaints:
        text = repeat_complaint(complaint, environ, masking)
        yield Check(name="settings", status=Status.WARNING, text=text)
    for name, nearest in find_slips(environ).items():
        yield Check(
            name="settings",
            status=Status.WARNING,
            text=f"the extension knows no {name}",
            advice=f"did you mean {nearest}?" if nearest else "see docs/configuration.md",
        )
    yield from _check_proxies(environ)


def repeat_complaint(complaint: str, environ: Mapping[str, str], masking: Masking) -> str:
    """Return a complaint of the extension with the variables that were set, and without secrets."""
    masked = QUOTED.sub(lambda found: _repeat(found[0], masking), complaint)
    return _name_set_variables(masked, environ)


def _name_set_variables(complaint: str, environ: Mapping[str, str]) -> str:
    """Return a complaint with our own variables where they stand in for standard ones."""
    return EXPORTER_NAME.sub(
        lambda found: find_replacement(found[0], environ) or found[0], complaint
    )


def _repeat(quoted: str, masking: Masking) -> str:
    return quoted if masking.repeat(quoted) == quoted else MASKED


def _check_proxies(environ: Mapping[str, str]) -> Iterator[Check]:
    for name, value in environ.items():
        if name.lower() not in ("http_proxy", "https_proxy") or not value.strip():
            continue
        if value.lower().startswith("https://"):
            text = f"{name} is not used for HTTP: its address begins with https://"
            advice = "a proxy that is spoken to by http:// passes https:// on as well"
        elif split_proxy(value) is None:
            text = f"{name} is no address: nothing can be sent through it over HTTP"
            advice = "it must be like http://proxy:3128"
        else:
            continue
        yield Check(name="settings", status=Status.WARNING, text=text, advice=advice)


def _explain(
    variable: Variable, environ: Mapping[str, str], complaints: Sequence[str], masking: Masking
) -> Setting:
    name, set_ = variable.name, is_set(variable.name, environ)
    value = masking.mask_value(name, environ[name].strip()) if set_ else variable.default
    return Setting(
        name=name,
        value=value,
        origin=_find_origin(name, environ, complaints) if set_ else "default",
        meaning=variable.meaning,
        is_set=set_,
    )


def _find_origin(name: str, environ: Mapping[str, str], complaints: Sequence[str]) -> str:
    if replacement := find_replacement(name, environ):
        return f"set, but {replacement} replaces it"
    named = (_name_set_variables(each, environ) for each in complaints)
    if any(re.match(rf"{name}\b", complaint) for complaint in named):
        return f"set, but cannot be used: the default is taken ({VARIABLES[name].default})"
    exceptions = find_exceptions(name, environ)
    told = ", ".join(f"for {signal} {other} replaces it" for signal, other in exceptions.items())
    return f"set; {told}" if told else "set"
