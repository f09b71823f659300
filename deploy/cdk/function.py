"""What a function already is and has, and what can be put on it.

Owns how that is found in CDK's constructs, and which functions take no extension. Must not know
what will be put on it.
"""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

# A child of what the extension has been put on, with whichever settings; it makes no resource.
MARK = "LoggerExtension"

IMAGE_RUNTIME = "FROM_IMAGE"
EDGE = "edgelambda.amazonaws.com"

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_LAYERS, MOST_VARIABLES_BYTES = 5, 4096


class MisfitError(Exception):
    """The extension does not fit a function; the message says why."""


def has_mark(construct: IConstruct) -> bool:
    """Return whether a function has the extension, or an Aspect has reached a stage."""
    return construct.node.try_find_child(MARK) is not None


def read_variables(function: lambda_.Function) -> Mapping[str, object]:
    """Return the variables that a function has now, once it is known to take ours.

    Raises:
        MisfitError: it is of a kind that takes no layer, or has too many, or cannot be read.
    """
    _check_kind(function)
    # CDK shows a function's variables nowhere else. `resource.environment` would read them as a
    # struct, which they are not yet, and from then on they come out empty.
    unreadable: dict[str, Any] = {"environment": {}}
    properties = getattr(function.node.default_child, "_cfn_properties", unreadable)
    rendered: dict[str, Any] = cdk.Stack.of(function).resolve(
        {name: properties.get(name) for name in ("environment", "layers")}
    )
    if (count := len(rendered.get("layers") or ())) >= MOST_LAYERS:
        raise MisfitError(f"it has {count} layers, and Lambda takes {MOST_LAYERS} in all")
    environment = rendered.get("environment", {"variables": {}})
    if "variables" not in environment:
        raise MisfitError(
            "its variables cannot be read: attach before the app reads CfnFunction.environment"
        )
    variables: dict[str, object] = environment["variables"]
    return variables


def check_size(variables: Mapping[str, object]) -> None:
    """Refuse more than Lambda takes; what is not known before the deployment counts as empty.

    Raises:
        MisfitError: it is too much.
    """
    texts = [*variables, *(value for value in variables.values() if isinstance(value, str))]
    if (size_bytes := sum(len(text.encode()) for text in texts)) > MOST_VARIABLES_BYTES:
        raise MisfitError(
            f"its variables and ours take {size_bytes} bytes, and Lambda takes"
            f" {MOST_VARIABLES_BYTES} in all"
        )


def allow(function: lambda_.Function, statement: iam.PolicyStatement) -> bool:
    """Add a statement to the policy of a function's role; return whether CDK could.

    A role that is imported from another account, or as one that stays as it is, drops a statement
    and answers that it was added; only a policy made for it tells the truth.
    """
    role = function.role
    if role is None or isinstance(role, iam.Role | iam.LazyRole):
        function.add_to_role_policy(statement)
        return role is not None
    return isinstance(role.add_to_principal_policy(statement).policy_dependable, iam.Policy)


def _check_kind(function: IConstruct) -> None:
    if not isinstance(function, lambda_.Function):
        raise MisfitError(
            "only what is made as lambda.Function in the app itself can be changed, not an alias, a"
            " version or a function that is imported; the Aspect finds the one of a singleton"
        )
    if function.runtime.name == IMAGE_RUNTIME:
        raise MisfitError(
            "it is packaged as an image, and images take no layers: see deploy/image/README.md"
        )
    if _is_at_edge(function):
        raise MisfitError("CloudFront runs it, and Lambda@Edge takes neither layers nor variables")


def _is_at_edge(function: lambda_.Function) -> bool:
    """Return whether CloudFront may run a function.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
    """
    role = function.role
    if not isinstance(role, iam.Role) or role.assume_role_policy is None:
        return False
    return EDGE in str(cdk.Stack.of(function).resolve(role.assume_role_policy.to_json()))
