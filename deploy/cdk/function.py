"""What a function already is and has, read before anything is put on it.

Owns how that is found in CDK's constructs, and which functions take no extension. Must not know
what will be put on it.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

IMAGE_RUNTIME = "FROM_IMAGE"
EDGE = "edgelambda.amazonaws.com"


# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_LAYERS = 5


class MisfitError(Exception):
    """The extension does not fit a function; the message says why."""


def read_variables(function: lambda_.Function) -> frozenset[str]:
    """Return the names of the variables that a function has now, once it is known to take ours.

    Raises:
        MisfitError: it is of a kind that takes no layer, or has too many, or cannot be read.
    """
    if function.runtime.name == IMAGE_RUNTIME:
        raise MisfitError(
            "it is packaged as an image, and images take no layers: see deploy/image/README.md"
        )
    if _is_at_edge(function):
        raise MisfitError("CloudFront runs it, and Lambda@Edge takes neither layers nor variables")
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
    return frozenset(environment["variables"])


def is_out_of_reach(resource: cdk.IResource, arn: str, function: lambda_.Function) -> bool:
    """Return whether a function's stack cannot refer to a resource of the app.

    Args:
        resource: what is referred to.
        arn: its ARN; where that is known by now, nothing has to be referred to.
        function: who refers to it.
    """
    if not cdk.Token.is_unresolved(arn):
        return False
    stack = cdk.Stack.of(function)
    if cdk.Stage.of(resource) is not cdk.Stage.of(function):
        return True
    pairs = ((resource.env.account, stack.account), (resource.env.region, stack.region))
    return not all(_is_same(one, other) for one, other in pairs)


def _is_same(one: str, other: str) -> bool:
    """Return whether two accounts or regions are the same; an unknown one is the deployment's."""
    return one == other or (cdk.Token.is_unresolved(one) and cdk.Token.is_unresolved(other))


def _is_at_edge(function: lambda_.Function) -> bool:
    """Return whether CloudFront may run a function.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
    """
    role = function.role
    if not isinstance(role, iam.Role) or role.assume_role_policy is None:
        return False
    return EDGE in str(cdk.Stack.of(function).resolve(role.assume_role_policy.to_json()))
