"""What the values refer to in the app, and whether a function's stack can.

Owns how that is found behind CDK's tokens. A value that no token stands for refers to nothing.
Must not know what a value is for.
"""

from collections.abc import Iterable, Iterator, Mapping

import aws_cdk as cdk
from constructs import IConstruct

from deploy.parameters import Value


def find_targets(values: Mapping[str, Value]) -> tuple[IConstruct, ...]:
    """Return the constructs whose attributes the values hold, each once."""
    tokens = (
        token
        for text in _find_texts(values.values())
        for token in cdk.Tokenization.reverse_string(text).tokens
    )
    found = (token.target for token in tokens if isinstance(token, cdk.Reference))
    return tuple({target.node.path: target for target in found}.values())


def is_out_of_reach(target: IConstruct, stack: cdk.Stack) -> bool:
    """Return whether a stack cannot refer to a construct.

    CDK ends at a value of another stage or of a region that is not known. Between known regions
    and accounts it would add custom resources and roles to both stacks, which telemetry is no
    reason for.
    """
    owner = cdk.Stack.of(target)
    if cdk.Stage.of(target) is not cdk.Stage.of(stack):
        return True
    return not (_is_same(owner.account, stack.account) and _is_same(owner.region, stack.region))


def _find_texts(values: Iterable[Value]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from value.values()
        elif isinstance(value, Iterable):
            yield from value


def _is_same(one: str, other: str) -> bool:
    """Return whether two accounts or regions are the same; an unknown one is the deployment's."""
    return one == other or (cdk.Token.is_unresolved(one) and cdk.Token.is_unresolved(other))
