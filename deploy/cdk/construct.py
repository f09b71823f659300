"""LoggerExtension: puts layer, variables and permissions on functions.

Owns the order in which a function is looked at and changed: what does not fit is found before
anything is changed. Must not know how values are written nor what permissions they need.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Unpack

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from deploy.cdk.aspect import AttachAspect
from deploy.cdk.function import (
    MARK,
    MisfitError,
    allow,
    check_size,
    has_mark,
    read_variables,
)
from deploy.cdk.layers import LayerError, LayerZip, choose_zip, read_zips
from deploy.cdk.properties import Properties, find_plain_secrets, make_values
from deploy.cdk.references import find_targets, is_out_of_reach
from deploy.environment import RESOLVED_TOO_EARLY, find_extras, make_variables
from deploy.parameters import STANDARD_PREFIX, Place
from deploy.permissions import make_statements

_ID = "logger-extension:"

ANYWHERE = Place(
    partition=cdk.Aws.PARTITION,
    suffix=cdk.Aws.URL_SUFFIX,
    region=cdk.Aws.REGION,
    account=cdk.Aws.ACCOUNT_ID,
)


class LoggerExtension(Construct):
    """The extension with its settings, to be attached to functions.

    It may stand below a stack or the app itself. Each stack that has such functions gets layer
    versions of its own from the same uploaded zips: a layer version shared between stacks would be
    an export, and CloudFormation changes no export that is in use.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        layer_zips: Iterable[str | Path],
        **properties: Unpack[Properties],
    ) -> None:
        """Take the layers and the settings.

        Args:
            scope: the app or a stack.
            construct_id: its id in that scope.
            layer_zips: made by `logger-extension layer build`, one for each runtime and
                architecture; the one that fits is attached.
            properties: the rows of deploy/parameters.py.

        Raises:
            LayerError: a zip is missing or no layer of ours.
            ParameterError: a property cannot be used, or not beside another.
        """
        super().__init__(scope, construct_id)
        self._zips = read_zips(layer_zips)
        self._values = make_values(properties)
        self._targets = find_targets(self._values)
        self._plain_secrets = find_plain_secrets(properties)
        make_variables(self._values, ANYWHERE)

    def attach(self, function: lambda_.Function) -> None:
        """Put layer, variables and permissions on a function.

        Variables that it has already stay as they are. A function that the extension does not fit
        is not changed and gets an error, which stops the deployment. A second time changes nothing.
        """
        try:
            self._attach(function)
        except MisfitError as misfit:
            cdk.Annotations.of(function).add_error(f"logger-extension cannot be attached: {misfit}")

    def attach_where_it_fits(self, function: lambda_.Function) -> None:
        """Do as `attach`, but only warn about a function that the extension does not fit."""
        try:
            self._attach(function)
        except MisfitError as misfit:
            cdk.Annotations.of(function).add_warning_v2(
                f"{_ID}skipped", f"logger-extension cannot be attached: {misfit}"
            )

    def as_aspect(
        self, *, exclude: Callable[[lambda_.Function], bool] | None = None
    ) -> AttachAspect:
        """Return an Aspect that attaches to each function of a scope where it fits.

        `Aspects.of(app).add(telemetry.as_aspect())` is all that an app needs. Functions that
        `attach` was called for, with this or with other settings, keep what they have.

        Args:
            exclude: says which functions are left out.
        """
        return AttachAspect(self, exclude=exclude)

    def _attach(self, function: lambda_.Function) -> None:
        """Attach, or change nothing.

        Raises:
            MisfitError: why.
        """
        if has_mark(function):
            return
        present = read_variables(function)
        layer = self._choose_layer(function)
        variables = self._make_variables(function)
        check_size({**variables, **present})
        Construct(function, MARK)
        function.add_layers(self._make_layer(layer, cdk.Stack.of(function)))
        _add_variables(function, variables, present)
        self._add_permissions(function)

    def _choose_layer(self, function: lambda_.Function) -> LayerZip:
        try:
            return choose_zip(
                self._zips,
                runtime=function.runtime.name,
                architecture=function.architecture.name,
                needs=find_extras(self._values),
            )
        except LayerError as error:
            raise MisfitError(str(error)) from None

    def _make_variables(self, function: lambda_.Function) -> dict[str, str]:
        stack = cdk.Stack.of(function)
        for target in self._targets:
            if is_out_of_reach(target, stack):
                raise MisfitError(
                    f"its stack cannot refer to {target.node.path}, which is deployed elsewhere:"
                    " give what it needs of that as text"
                )
        variables = make_variables(self._values, _find_place(stack))
        # What was hidden in a token comes out only here.
        if RESOLVED_TOO_EARLY in str(stack.resolve(variables)):
            raise MisfitError(
                "CloudFormation would put a secret in plain text into its variables: give it by"
                " header_from_secret or header_from_parameter"
            )
        return variables

    def _make_layer(self, layer: LayerZip, stack: cdk.Stack) -> lambda_.LayerVersion:
        """Return the layer version of a zip in a stack, made when it is first asked for."""
        construct_id = f"{self.node.id}-{self.node.addr[-8:]}-{layer.label}"
        made = stack.node.try_find_child(construct_id)
        if isinstance(made, lambda_.LayerVersion):
            return made
        version = lambda_.LayerVersion(
            stack,
            construct_id,
            code=lambda_.Code.from_asset(str(layer.path)),
            compatible_architectures=[lambda_.Architecture.custom(layer.architecture)],
            description=f"logger-extension for {layer.label}",
            license="Apache-2.0",
        )
        resource = version.node.default_child
        if layer.runtime is not None and isinstance(resource, lambda_.CfnLayerVersion):
            # CDK compares a Runtime by more than its name, and would refuse one made by hand.
            resource.compatible_runtimes = [layer.runtime]
        # The construct itself may stand outside of all stacks, and of that CDK tells nothing.
        for name in self._plain_secrets:
            cdk.Annotations.of(version).add_warning_v2(
                f"{_ID}plain-secret",
                f"the header {name} is plain text in the template: if it is a secret, give it by"
                " header_from_secret or header_from_parameter",
            )
        return version

    def _add_permissions(self, function: lambda_.Function) -> None:
        stack = cdk.Stack.of(function)
        lacking: list[str] = []
        for each in make_statements(self._values, _find_place(stack)):
            statement = iam.PolicyStatement.from_json(each)
            if not allow(function, statement):
                lacking += statement.actions
        if lacking:
            cdk.Annotations.of(function).add_warning_v2(
                f"{_ID}role",
                f"its role is not the app's to change: allow it {', '.join(lacking)}",
            )


def _find_place(stack: cdk.Stack) -> Place:
    return Place(
        partition=stack.partition,
        suffix=stack.url_suffix,
        region=stack.region,
        account=stack.account,
    )


def _add_variables(
    function: lambda_.Function, variables: Mapping[str, str], present: Mapping[str, object]
) -> None:
    for name, value in variables.items():
        if name not in present:
            function.add_environment(name, value)
    if kept := sorted(present.keys() & variables.keys()):
        is_otlp = any(name.startswith(STANDARD_PREFIX) for name in kept)
        cdk.Annotations.of(function).add_info_v2(
            f"{_ID}kept",
            f"the function's own {', '.join(kept)} stay as they are"
            + ("; own_sdk=True gives the extension variables of its own" if is_otlp else ""),
        )
