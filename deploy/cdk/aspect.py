"""The extension for every function of a scope.

Owns which constructs are functions, and what CDK does not visit. A function that the extension does
not fit is left as it is, with a warning: telemetry is no reason to stop an app. Must not know what
is put on a function.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from deploy.cdk.function import MARK, has_mark

if TYPE_CHECKING:
    from deploy.cdk.construct import LoggerExtension


@jsii.implements(cdk.IAspect)
class AttachAspect:
    """Attaches the extension to each function that it visits."""

    def __init__(
        self,
        telemetry: "LoggerExtension",
        *,
        exclude: Callable[[lambda_.Function], bool] | None = None,
    ) -> None:
        """Take what is attached, and which functions are left out without a word."""
        self._telemetry = telemetry
        self._exclude = exclude

    def visit(self, node: IConstruct) -> None:
        """Attach to a function; leave all else, and tell of what is never visited."""
        if isinstance(node, lambda_.Function):
            if self._exclude is None or not self._exclude(node):
                self._telemetry.attach_where_it_fits(node)
        elif isinstance(node, lambda_.CfnFunction) and not _is_part_of_function(node):
            cdk.Annotations.of(node).add_warning_v2(
                "logger-extension:skipped",
                "logger-extension is not attached: only functions made as lambda.Function are",
            )
        elif isinstance(node, cdk.Stage):
            _tell_unreached(node)


def _is_part_of_function(resource: lambda_.CfnFunction) -> bool:
    return isinstance(resource.node.scope, lambda_.Function)


def _tell_unreached(outer: cdk.Stage) -> None:
    """Warn of stages below one that have functions and no such Aspect.

    CDK synthesizes them first: what reaches a stage has reached it by now.
    """
    if not has_mark(outer):
        Construct(outer, MARK)
    stages = [each for each in outer.node.find_all() if isinstance(each, cdk.Stage)]
    if paths := [s.node.path for s in stages if not has_mark(s) and _has_functions(s)]:
        # CDK shows no annotations of an app or a stage.
        warnings.warn(
            "logger-extension: CDK takes no Aspect of an app into its stages; add it by"
            f" Aspects.of(stage).add(…) to each of {', '.join(paths)}",
            stacklevel=2,
        )


def _has_functions(stage: cdk.Stage) -> bool:
    return any(isinstance(each, lambda_.Function) for each in stage.node.find_all())
