"""The function whose settings are looked at: its environment, and what AWS tells about it.

Owns the forms in which an environment may be given and which of them wins. Must not know what a
variable means, but for those that Lambda sets itself
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from logger_extension_cli.errors import UsageError

T = TypeVar("T")

STDIN = Path("-")

# With these secrets are fetched where the settings come from elsewhere.
CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)

ARN_REGION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What is known of the function.

    Attributes:
        environ: what the extension would find in its environment.
        origin: where that comes from, for the report.
        machine: the architecture as the kernel or AWS names it.
        ephemeral_mb: the configured size of /tmp, None when it is not known.
        has_layers: whether there are any, None when it is not known, and for images.
    """

    environ: Mapping[str, str] = field(repr=False)
    origin: str
    machine: str
    ephemeral_mb: int | None = None
    has_layers: bool | None = None


def read_function(
    arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ
) -> Function:
    """Return the function that the arguments tell of, else that of this environment.

    Raises:
        UsageError: a file or a pair cannot be used; no value is repeated.
    """
    machine, ephemeral_mb, has_layers, origins = os.uname().machine, None, None, []
    described: dict[str, str] = {}
    if arguments.function_config == arguments.env_file == STDIN:
        raise UsageError("--function-config and --env-file cannot both be read from stdin")
    if arguments.function_config is not None:
        origins.append(_name(arguments.function_config))
        configuration = _parse_configuration(arguments.function_config)
        described = _read_variables(configuration)
        machine = next(iter(_find(configuration, list, "Architectures") or ()), machine)
        ephemeral_mb = _find(configuration, int, "EphemeralStorage", "Size")
        if _find(configuration, str, "PackageType") != "Image":
            has_layers = bool(_find(configuration, list, "Layers"))
    if arguments.env_file is not None:
        origins.append(_name(arguments.env_file))
        lines = _read_text(arguments.env_file).split("\n")
        described |= parse_pairs(_name(arguments.env_file), _drop_comments(lines))
    if origins:
        own = {name: environ[name] for name in CREDENTIALS if environ.get(name)}
        described = own | described
    else:
        origins.append("this environment")
        described = dict(environ)
    if arguments.env:
        origins.append("--env")
    return Function(
        environ=described | parse_pairs("--env", enumerate(arguments.env, 1)),
        origin=", ".join(origins),
        machine=machine,
        ephemeral_mb=ephemeral_mb,
        has_layers=has_layers,
    )


def parse_pairs(origin: str, pairs: Iterable[tuple[int, str]]) -> dict[str, str]:
    """Return `K=V` pairs, each with its place, as variables.

    Raises:
        UsageError: one is no pair; its place is told, not what it says.
    """
    variables = {}
    for place, pair in pairs:
        name, equals, value = pair.partition("=")
        # One word: `export K=V` would set a variable of that whole name.
        if not equals or len(name.split()) != 1 or "\0" in pair:
            raise UsageError(f"{origin}: number {place} is not of the form K=V")
        variables[name.strip()] = value
    return variables


def _drop_comments(lines: list[str]) -> list[tuple[int, str]]:
    return [
        (place, line)
        for place, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _parse_configuration(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_read_text(path))
    except ValueError:
        raise UsageError(f"{_name(path)} is not JSON") from None
    if isinstance(value, dict) and isinstance(value.get("Configuration"), dict):
        value = value["Configuration"]  # that of `aws lambda get-function`
    if not isinstance(value, dict) or not isinstance(value.get("FunctionName"), str):
        raise UsageError(
            f"{_name(path)} is not what `aws lambda get-function-configuration` prints:"
            " there is no FunctionName"
        )
    return value


def _read_variables(configuration: Mapping[str, Any]) -> dict[str, str]:
    if _find(configuration, dict, "Environment", "Error"):
        raise UsageError(
            "AWS could not decrypt the function's variables for you: ask with a role that may use"
            " their key (kms:Decrypt)"
        )
    arn = (_find(configuration, str, "FunctionArn") or "").split(":")
    is_snap_start = _find(configuration, str, "SnapStart", "OptimizationStatus") == "On"
    set_by_lambda = {
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": _find(configuration, str, "Version"),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": _find(configuration, int, "MemorySize"),
        "AWS_REGION": arn[ARN_REGION] if len(arn) > ARN_REGION else None,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if is_snap_start else None,
    }
    known = {name: str(value) for name, value in set_by_lambda.items() if value}
    own = _find(configuration, dict, "Environment", "Variables") or {}
    return {str(name): str(value) for name, value in own.items()} | known


def _find(part: Mapping[str, Any], kind: type[T], name: str, *more: str) -> T | None:
    """Return what stands under a name, and the names below it; None where it is null or not there.

    Raises:
        UsageError: it is of another kind; it is not repeated.
    """
    value: Any = part.get(name)
    if value is None:
        return None
    if more and isinstance(value, dict):
        return _find(value, kind, *more)
    if more or not isinstance(value, kind):
        raise UsageError(f"{name} is not what AWS prints there")
    return value


def _read_text(path: Path) -> str:
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
        return text.removeprefix("\ufeff")  # a byte order mark, as Windows begins a file
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(f"cannot read {_name(path)}: {reason}") from error


def _name(path: Path) -> str:
    return "stdin" if path == STDIN else str(path)
