"""What the parameters of the layer let the function's role do: the least that they need.

Owns the actions and what they are limited to. Must not know variables, nor CDK, SAM or Terraform.
"""

from collections.abc import Mapping
from typing import TypeAlias

from deploy.parameters import Place, Value, as_list, is_given

Statement: TypeAlias = dict[str, str | list[str]]

# AWS's guide asks for a managed policy and names no actions. Two are those for spans; the third is
# what that policy lets write. None can be limited to a resource.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLP-UsingADOT.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
XRAY_ACTIONS = ("xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments")

READING = {
    "secret_arns": "secretsmanager:GetSecretValue",  # nosec B105  # an action, no password
    "parameter_arns": "ssm:GetParameters",
    "kms_key_arns": "kms:Decrypt",
}


def make_statements(values: Mapping[str, Value], place: Place) -> list[Statement]:
    """Return the statements of the policy that the function's role needs, none for no policy.

    Args:
        values: as `make_variables` has taken them.
        place: where the function runs.
    """
    given = {name: value for name, value in values.items() if is_given(value)}
    statements = [
        _allow([action], list(as_list(given[name])))
        for name, action in READING.items()
        if name in given
    ]
    if "xray" in given:
        statements.append(_allow(list(XRAY_ACTIONS), ["*"]))
    if "log_group" in given:
        group, stream = given["log_group"], given["log_stream"]
        arn = f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:{group}"
        statements.append(_allow(["logs:PutLogEvents"], [f"{arn}:log-stream:{stream}"]))
    return statements


def _allow(actions: list[str], resources: list[str]) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}
