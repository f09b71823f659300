"""What can be set when the layer is attached: the rows of deploy/parameters.py, with types.

Owns the types, and how secrets given as constructs become the plain values that
deploy/environment.py takes. Must not know a function. No error here repeats a value: it may be a
secret.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, cast

import aws_cdk as cdk

from deploy.cdk.headers import SecretHeader
from deploy.environment import ParameterError
from deploy.parameters import PARAMETERS, Kind, Value


class Properties(TypedDict, total=False):
    """The keywords of `LoggerExtension`; deploy/parameters.py says what each means."""

    endpoint: str
    logs_endpoint: str
    traces_endpoint: str
    metrics_endpoint: str
    protocol: Literal["http/protobuf", "http/json", "grpc"]
    compression: Literal["gzip", "none"]
    headers: Mapping[str, str | SecretHeader]
    secret_arns: Sequence[str]
    parameter_arns: Sequence[str]
    kms_key_arns: Sequence[str]
    own_sdk: bool
    xray: bool
    log_group: str
    log_stream: str
    service_name: str
    resource_attributes: Mapping[str, str]
    flush_policy: str
    staleness_limit_ms: int
    collector_budget_ms: int
    fallback: str
    log_min_severity: Literal["any", "trace", "debug", "info", "warn", "error", "fatal"]
    log_sample_ratio: float
    log_redact: Sequence[str]
    traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ]
    traces_sampler_arg: float
    metric_export_interval_ms: int
    price_gb_second: float
    price_provisioned_gb_second: float
    price_request: float
    price_ephemeral_gb_second: float
    price_discount: float
    feature_attribute: str
    feature_log_field: str
    settings: Mapping[str, str]


# Many apps are not type-checked, and text in place of a list would be taken apart into letters.
TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.BOOLEAN: (bool,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.LIST: (list, tuple),
    Kind.MAP: (dict,),
}

# Names of headers that hold a secret as a rule, compared without case.
SECRET_NAMES = ("authorization", "key", "token", "secret", "password", "team")


def make_values(properties: Properties) -> dict[str, Value]:
    """Return the properties as deploy/environment.py takes them, headers with what they must read.

    Raises:
        ParameterError: a value is not of its type.
    """
    given = {name: value for name, value in properties.items() if value is not None}
    for parameter in PARAMETERS:
        if parameter.name in given:
            _check_type(parameter.name, parameter.kind, given[parameter.name])
    values = cast("dict[str, Value]", given)
    values["headers"] = {
        name: value.text if isinstance(value, SecretHeader) else value
        for name, value in (properties.get("headers") or {}).items()
    }
    for header in (properties.get("headers") or {}).values():
        grants = header.grants if isinstance(header, SecretHeader) else {}
        for name, arn in grants.items():
            arns = cast("Sequence[str]", values.get(name, ()))
            values[name] = list(dict.fromkeys([*arns, arn]))
    return values


def find_plain_secrets(properties: Properties) -> list[str]:
    """Return the names of headers that look like secrets and are given as text."""
    return [
        name
        for name, value in (properties.get("headers") or {}).items()
        if isinstance(value, str)
        and "{{" not in value
        and any(word in name.lower() for word in SECRET_NAMES)
    ]


def _check_type(name: str, kind: Kind, value: object) -> None:
    is_bool = isinstance(value, bool) and kind is not Kind.BOOLEAN
    if is_bool or not isinstance(value, TYPES[kind]):
        raise ParameterError(f"{name} must be a {kind}, it is {type(value).__name__}")
    # CDK's process ends at a number that JSON does not have.
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{name} must be a finite number")
    # A number that is not known yet is a negative one to Python.
    if not isinstance(value, str | dict) and cdk.Token.is_unresolved(value):
        raise ParameterError(f"{name} must be known when the app is synthesized")
    if isinstance(value, int | float) and value < 0:
        raise ParameterError(f"{name} must be 0 or more")
    _check_items(name, value)


def _check_items(name: str, value: object) -> None:
    items: Sequence[object] = value if isinstance(value, list | tuple) else ()
    if isinstance(value, dict):
        is_allowed = (str, SecretHeader) if name == "headers" else (str,)
        items = [*value, *(each for each in value.values() if not isinstance(each, is_allowed))]
    if not all(isinstance(item, str) for item in items):
        raise ParameterError(f"{name} must hold text only")
