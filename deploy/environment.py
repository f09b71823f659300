"""What the parameters of the layer become: variables of the function.

Owns how a value is written, and which parameters need or exclude each other.
CDK, SAM and Terraform each say the same in their own language and are tested against this. Must not
know any of the three, nor where a layer comes from.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from deploy.parameters import (
    OWN_PREFIX,
    PARAMETERS,
    STANDARD_PREFIX,
    Kind,
    Parameter,
    Place,
    Value,
    as_list,
    as_map,
    is_given,
)
from deploy.permissions import READING
from logger_extension.policy.references import BEGIN

# Each signal, and the parameter that chooses AWS's own endpoint for it.
SIGNALS = {"logs": "log_group", "traces": "xray", "metrics": ""}

# CloudFormation would put the secret itself in its place, in plain text. The extension takes the
# same notation without `resolve:`.
RESOLVED_TOO_EARLY = "{{resolve:"

# Percent-encoded is what W3C Baggage does not allow in a value, and `=`, which OpenTelemetry wants
# encoded as well; nothing inside a reference.
# https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
REFERENCE = re.compile(rf"{BEGIN}[^{{}}]*\}}\}}")
PIECE = re.compile(rf"{REFERENCE.pattern}|[\s\S]")
ESCAPES = {each: f"%{ord(each):02X}" for each in '%,;="\\ '}

# A signal's own headers replace the general ones, which may hold the collector's secret and an
# `authorization` that would leave requests to AWS unsigned. This one is sent anyway.
NO_HEADERS = "accept=*/*"

# The name of a secret or parameter, which IAM does not take, or `*` for all of them.
NO_ARN = re.compile(r"[\w/+=.@*-]*")


class ParameterError(ValueError):
    """Parameters that cannot be used; the message says what to do and repeats no value."""


def make_variables(values: Mapping[str, Value], place: Place) -> dict[str, str]:
    """Return the function's variables.

    Args:
        values: by the names of `PARAMETERS`; what `is_given` refuses counts as absent.
        place: where the function runs.

    Raises:
        ParameterError: a value cannot be used, or not beside another.
    """
    given = {name: value for name, value in values.items() if is_given(value)}
    check(given)
    variables = {
        each.variable: write(each, given[each.name])
        for each in PARAMETERS
        if each.variable and each.name in given
    }
    variables |= _make_aws_variables(given, place)
    if "own_sdk" in given:
        variables = {_rename(name): value for name, value in variables.items()}
    settings = as_map(given.get("settings"))
    _check_settings(settings, {_standardize(name) for name in variables})
    return variables | dict(settings)


def find_extras(values: Mapping[str, Value]) -> frozenset[str]:
    """Return which extras a layer needs for these values; Python runtimes bring `aws` themselves.

    Args:
        values: as `make_variables` has taken them.
    """
    is_signed = is_given(values.get("xray")) or is_given(values.get("log_group"))
    has_reference = any(REFERENCE.search(text) for _, text in _find_texts(values))
    needs = {"grpc": values.get("protocol") == "grpc", "aws": is_signed or has_reference}
    return frozenset(extra for extra, is_needed in needs.items() if is_needed)


def check(given: Mapping[str, Value]) -> None:
    """Refuse what could not work.

    Raises:
        ParameterError: as in `make_variables`.
    """
    if unknown := given.keys() - {each.name for each in PARAMETERS}:
        raise ParameterError(f"no such parameter: {', '.join(sorted(unknown))}")
    for each in PARAMETERS:
        if each.choices and each.name in given and given[each.name] not in each.choices:
            raise ParameterError(f"{each.name} is one of {', '.join(each.choices)}")
    _check_endpoints(given)
    _check_references(given)
    for name in READING:
        if any(NO_ARN.fullmatch(each) for each in as_list(given.get(name))):
            raise ParameterError(f"{name}: give whole ARNs, which begin with arn:")


def _check_endpoints(given: Mapping[str, Value]) -> None:
    if ("log_group" in given) != ("log_stream" in given):
        raise ParameterError("log_group and log_stream are given together or not at all")
    for signal, chooser in SIGNALS.items():
        own = f"{signal}_endpoint"
        if own in given and chooser in given:
            raise ParameterError(f"{own} and {chooser} exclude each other: give one of them")
        if not given.keys() & {"endpoint", own, chooser}:
            choices = " or ".join(name for name in (own, chooser) if name)
            raise ParameterError(f"{signal} have no endpoint: give endpoint, or {choices}")


def _check_references(given: Mapping[str, Value]) -> None:
    for name, text in _find_texts(given):
        if RESOLVED_TOO_EARLY in text:
            raise ParameterError(
                f"{name}: write a reference without resolve:, as {{{{secretsmanager:NAME}}}}:"
                " CloudFormation would put the secret itself in its place"
            )


def _check_settings(settings: Mapping[str, str], taken: Collection[str]) -> None:
    """Refuse what a parameter sets, or would set."""
    own = {each.variable: each.name for each in PARAMETERS if each.variable}
    for name in settings:
        if parameter := own.get(_standardize(name)):
            raise ParameterError(f"settings: {name} has a parameter of its own, {parameter}")
        if _standardize(name) in taken:
            raise ParameterError(f"settings: {name} is what xray or log_group sets")


def write(parameter: Parameter, value: Value) -> str:
    """Return a value as its variable holds it; numbers in digits, never as 2e-07."""
    match parameter.kind:
        case Kind.MAP:
            return write_map(as_map(value))
        case Kind.LIST:
            return ",".join(as_list(value))
        case Kind.NUMBER:
            return format(Decimal(str(value)), "f")
        case _:
            return str(value)


def write_map(pairs: Mapping[str, str]) -> str:
    """Return `name=value,…`, percent-encoded around references."""
    return ",".join(f"{escape(name)}={escape(value)}" for name, value in pairs.items())


def escape(text: str) -> str:
    """Return a name or a value for `write_map`."""
    return PIECE.sub(lambda match: ESCAPES.get(match[0], match[0]), text)


def _make_aws_variables(given: Mapping[str, Value], place: Place) -> dict[str, str]:
    """Return what sends spans to X-Ray and log records to CloudWatch.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
    """
    variables = {}
    if "xray" in given:
        variables["TRACES_ENDPOINT"] = f"https://xray.{place.region}.{place.suffix}/v1/traces"
        if "headers" in given:
            variables["TRACES_HEADERS"] = NO_HEADERS
    if "log_group" in given:
        group, stream = str(given["log_group"]), str(given["log_stream"])
        headers = {"x-aws-log-group": group, "x-aws-log-stream": stream}
        variables["LOGS_ENDPOINT"] = f"https://logs.{place.region}.{place.suffix}/v1/logs"
        variables["LOGS_HEADERS"] = write_map(headers)
    if given.get("protocol") == "grpc":  # which AWS's endpoints do not speak
        signals = {name.partition("_")[0] for name in variables}
        variables |= {f"{signal}_PROTOCOL": "http/protobuf" for signal in sorted(signals)}
    return {STANDARD_PREFIX + name: value for name, value in variables.items()}


def _rename(name: str) -> str:
    """Return our own name of one of OTLP's variables, any other as it is."""
    if name.startswith(STANDARD_PREFIX):
        return OWN_PREFIX + name.removeprefix(STANDARD_PREFIX)
    return name


def _find_texts(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Yield what may hold a reference, with the name of its parameter."""
    for name, value in values.items():
        texts = value.values() if isinstance(value, Mapping) else [value]
        yield from ((name, text) for text in texts if isinstance(text, str))


def _standardize(name: str) -> str:
    """Return the standard name of a variable that may have our prefix."""
    return name.replace(OWN_PREFIX, STANDARD_PREFIX)
