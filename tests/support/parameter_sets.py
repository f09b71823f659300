"""Sets of the layer's parameters: what each tool must take, and what each must refuse.

Made from the one table, so that a new row has its set at once. Must not know what becomes of them.
"""

from collections.abc import Iterator

from deploy.parameters import PARAMETERS, Kind, Parameter, Place, Value

Set = dict[str, Value]

ENDPOINT = "https://collector.example.com:4318"
# Of the partitions with OTLP endpoints the one whose host names differ.
REGION, ACCOUNT, PARTITION, SUFFIX = "cn-north-1", "123456789012", "aws-cn", "amazonaws.com.cn"
PLACE = Place(partition=PARTITION, suffix=SUFFIX, region=REGION, account=ACCOUNT)
SECRET = f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:otlp-AbCdEf"
REFERENCE = f"{{{{secretsmanager:{SECRET}:SecretString:the key, 100%=}}}}"
EARLY = "{{resolve:secretsmanager:otlp}}"

BY_KIND: dict[Kind, Value] = {
    Kind.TEXT: "words-of_1.2",
    Kind.BOOLEAN: True,
    Kind.INTEGER: 2500,
    Kind.NUMBER: 0.0000002,
    Kind.LIST: ["first", "second"],
    Kind.MAP: {"NAME_A": 'a, b; c = "d" \\ 100% ü', "NAME_B": "plain"},
}
# What has a form of its own.
BY_NAME: dict[str, Value] = {
    "headers": {"authorization": f"Bearer, {REFERENCE}=", "x-plain": "a b"},
    "secret_arns": [SECRET, f"{SECRET}2"],
    "parameter_arns": [f"arn:{PARTITION}:ssm:{REGION}:{ACCOUNT}:parameter/otlp"],
    "kms_key_arns": [f"arn:{PARTITION}:kms:{REGION}:{ACCOUNT}:key/otlp"],
    "flush_policy": "periodic,5000",
    "fallback": "none",
    "log_redact": ["email", "jwt"],
    "log_group": "/telemetry/functions",
    "log_stream": "2026/[1]all",
}
COMPANIONS = {"log_group": "log_stream", "log_stream": "log_group"}

AWS: Set = {
    "xray": True,
    "log_group": BY_NAME["log_group"],
    "log_stream": BY_NAME["log_stream"],
}


def make_value(parameter: Parameter) -> Value:
    """Return a value that is not the default."""
    if parameter.name.endswith("endpoint"):
        return f"{ENDPOINT}/of/{parameter.name}"
    if parameter.choices:
        return parameter.choices[-1]
    return BY_NAME.get(parameter.name, BY_KIND[parameter.kind])


def take_sets() -> Iterator[tuple[str, Set]]:
    """Yield a name and the parameters of each set that can be used."""
    yield "endpoint", {"endpoint": ENDPOINT}
    for each in PARAMETERS:
        names = [each.name, COMPANIONS.get(each.name, each.name)]
        values = {row.name: make_value(row) for row in PARAMETERS if row.name in names}
        yield each.name, {"endpoint": ENDPOINT, **values}
        for choice in each.choices:
            yield f"{each.name} {choice}", {"endpoint": ENDPOINT, each.name: choice}
    for name, others in ("AWS", {"logs_endpoint", "traces_endpoint"}), ("no AWS", set(AWS)):
        rows = [row for row in PARAMETERS if row.name not in others]
        everything = {row.name: make_value(row) for row in rows}
        yield f"everything, {name}", everything
        yield f"everything, {name}, no SDK", {**everything, "own_sdk": False}
    yield "own endpoints", {f"{s}_endpoint": ENDPOINT for s in ("logs", "traces", "metrics")}
    yield "AWS", {**AWS, "metrics_endpoint": ENDPOINT}
    yield "AWS and gRPC", {**AWS, "endpoint": ENDPOINT, "protocol": "grpc"}
    yield "AWS, gRPC, SDK", {**AWS, "endpoint": ENDPOINT, "protocol": "grpc", "own_sdk": True}
    yield (
        "zeros",
        {
            "endpoint": ENDPOINT,
            **{row.name: 0 for row in PARAMETERS if row.kind is Kind.NUMBER},
        },
    )


def refuse_together() -> Iterator[tuple[str, str, Set]]:
    """Yield a name, the parameter that is at fault, and parameters that do not fit each other."""
    yield "nothing", "endpoint", {}
    for left_out in ("logs_endpoint", "traces_endpoint", "metrics_endpoint"):
        kept = {f"{s}_endpoint": ENDPOINT for s in ("logs", "traces", "metrics")}
        yield f"no {left_out}", "endpoint", {n: v for n, v in kept.items() if n != left_out}
    both: Set = {"endpoint": ENDPOINT, **AWS}
    yield "X-Ray twice", "xray", {**both, "traces_endpoint": ENDPOINT}
    yield "CloudWatch twice", "log_group", {**both, "logs_endpoint": ENDPOINT}
    yield "no stream", "log_group", {"endpoint": ENDPOINT, "log_group": "group"}
    yield "no group", "log_group", {"endpoint": ENDPOINT, "log_stream": "stream"}
    for prefix in ("OTEL", "LOGGER_EXTENSION"):
        settings = {f"{prefix}_EXPORTER_OTLP_LOGS_HEADERS": "a=b"}
        yield f"AWS and settings {prefix}", "settings", {**both, "settings": settings}


def refuse_alone() -> Iterator[tuple[str, str, Set]]:
    """Yield the same for values that cannot be used at all."""
    for each in PARAMETERS:
        if each.choices:
            yield f"{each.name} unknown", each.name, {"endpoint": ENDPOINT, each.name: "unknown"}
        if each.name.endswith("endpoint"):
            yield f"{each.name} early", each.name, {"endpoint": ENDPOINT, each.name: EARLY}
        if each.name.endswith("_arns"):
            for name in ("prod/otlp", "*"):
                values: Set = {"endpoint": ENDPOINT, each.name: [SECRET, name]}
                yield f"{each.name} {name}", each.name, values
        if each.kind is Kind.MAP:
            early = {"name": f"Bearer {EARLY}"}
            yield f"{each.name} early", each.name, {"endpoint": ENDPOINT, each.name: early}
    for prefix in ("OTEL", "LOGGER_EXTENSION"):
        settings = {f"{prefix}_EXPORTER_OTLP_HEADERS": "a=b"}
        yield f"settings {prefix}", "settings", {"endpoint": ENDPOINT, "settings": settings}
