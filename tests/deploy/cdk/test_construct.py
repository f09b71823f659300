"""LoggerExtension puts on a function what its properties say, and nothing where it does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm

from deploy.cdk import LoggerExtension, header_from_parameter, header_from_secret
from deploy.environment import ParameterError, make_variables
from deploy.parameters import PARAMETERS
from deploy.permissions import make_statements
from logger_extension.policy.references import find_references
from logger_extension.settings.headers import parse_headers
from tests.support.parameter_sets import (
    ACCOUNT,
    ENDPOINT,
    PARTITION,
    PLACE,
    REGION,
    SECRET,
    SUFFIX,
    refuse_alone,
    refuse_together,
    take_sets,
)

# The first synthesis of a process loads all of CDK into Node.js.
pytestmark = pytest.mark.timeout(90)

MakeFunction = Callable[..., lambda_.Function]
MakeZip = Callable[..., Path]
Synthesize = Callable[[], Any]

REFUSED = {name: values for name, _, values in (*refuse_together(), *refuse_alone())}
PSEUDO = {"AWS::Partition": PARTITION, "AWS::URLSuffix": SUFFIX}
BASIC_ROLE = "service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    """A stack whose account and region are known, so that a template holds plain text."""
    return cdk.Stack(app, "Stack", env=cdk.Environment(account=ACCOUNT, region=REGION))


@pytest.fixture
def attach(stack: cdk.Stack, make_zip: MakeZip) -> Callable[..., None]:
    """Attach the extension with some properties to a function."""

    def attach_to(function: lambda_.Function, **properties: Any) -> None:
        properties = {"endpoint": ENDPOINT, "layer_zips": [make_zip()], **properties}
        LoggerExtension(stack, f"Telemetry-{function.node.id}", **properties).attach(function)

    return attach_to


def join(value: Any) -> str:
    """Return text that CloudFormation joins, with the names of what it refers to."""
    if isinstance(value, str):
        return value
    if value.get("Ref") in PSEUDO:
        return PSEUDO[value["Ref"]]
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return "".join(join(part) for part in argument[1])
    return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"


def test_each_property_reaches_function_and_role(
    stack: cdk.Stack, make_function: MakeFunction, make_zip: MakeZip, synthesize: Synthesize
) -> None:
    """What every set of the shared table becomes is in the template: variables and statements."""
    layer_zips = [make_zip("3.13", "x86_64", "grpc")]
    sets = {f"set-{place}": values for place, (_, values) in enumerate(take_sets())}
    for name, values in sets.items():
        telemetry: Any = LoggerExtension
        telemetry(stack, f"T-{name}", layer_zips=layer_zips, **values).attach(make_function(name))
    result = synthesize()
    policies = {
        policy["Roles"][0]["Ref"]: policy["PolicyDocument"]["Statement"]
        for policy in result.resources("AWS::IAM::Policy")
    }
    for name, values in sets.items():
        function = result.function(name)
        variables = {n: join(value) for n, value in result.variables(name).items()}
        assert variables == make_variables(values, PLACE)
        expected = make_statements(values, PLACE)
        statements = policies.get(function["Role"]["Fn::GetAtt"][0], [])
        assert [plain(each) for each in statements] == [plain(dict(each)) for each in expected]


def plain(statement: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return actions and resources of a statement, whatever form they have."""
    actions, resources = statement["Action"], statement["Resource"]
    return (
        [actions] if isinstance(actions, str) else actions,
        [join(each) for each in (resources if isinstance(resources, list) else [resources])],
    )


def test_one_function_gets_layer_variables_and_nothing_else(
    make_function: MakeFunction, attach: Callable[..., None], synthesize: Synthesize
) -> None:
    """An endpoint alone is one variable and one layer; the role is as it was."""
    attach(make_function())
    result = synthesize()
    (layer,) = result.resources("AWS::Lambda::LayerVersion")
    assert layer["CompatibleRuntimes"] == ["python3.13"]
    assert layer["CompatibleArchitectures"] == ["x86_64"]
    assert result.variables("function") == {"OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT}
    assert len(result.function("function")["Layers"]) == 1
    assert result.resources("AWS::IAM::Policy") == []
    assert result.messages == {}


def test_secrets_are_references_that_the_function_may_read(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach: Callable[..., None],
    synthesize: Synthesize,
) -> None:
    """Headers refer to secrets and parameters; the role reads these, with the key of one."""
    key = kms.Key(stack, "Key")
    named = secretsmanager.Secret.from_secret_name_v2(stack, "Named", "otlp")
    own = secretsmanager.Secret(stack, "Own", encryption_key=key)
    parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
        stack, "Parameter", parameter_name="/otlp/key"
    )
    attach(
        make_function(),
        headers={
            "authorization": header_from_secret(own, field="token", prefix="Bearer "),
            "x-named": header_from_secret(named),
            "x-parameter": header_from_parameter(parameter),
        },
    )
    result = synthesize()
    arn = f"arn:{PARTITION}:%s:{REGION}:{ACCOUNT}:%s"
    (own_arn,) = (
        f"<{name}>"
        for name, each in result.templates["Stack"]["Resources"].items()
        if each["Type"] == "AWS::SecretsManager::Secret"
    )
    secret, ssm_arn = arn % ("secretsmanager", "secret:otlp"), arn % ("ssm", "parameter/otlp/key")
    assert join(result.variables("function")["OTEL_EXPORTER_OTLP_HEADERS"]).split(",") == [
        f"authorization=Bearer%20{{{{secretsmanager:{own_arn}:SecretString:token}}}}",
        f"x-named={{{{secretsmanager:{secret}}}}}",
        f"x-parameter={{{{ssm:{ssm_arn}}}}}",
    ]
    told = join(result.variables("function")["OTEL_EXPORTER_OTLP_HEADERS"])
    deployed = told.replace(own_arn, SECRET)
    headers = parse_headers("HEADERS", deployed, is_grpc=False)
    assert {each.secret.name for each in find_references(headers.values())} == {
        SECRET,
        secret,
        ssm_arn,
    }
    (policy,) = result.resources("AWS::IAM::Policy")
    (key_id,) = (
        name
        for name, each in result.templates["Stack"]["Resources"].items()
        if each["Type"] == "AWS::KMS::Key"
    )
    assert [plain(each) for each in policy["PolicyDocument"]["Statement"]] == [
        (
            ["secretsmanager:GetSecretValue"],
            [own_arn, f"{secret}-??????"],
        ),
        (["ssm:GetParameters"], [ssm_arn]),
        (["kms:Decrypt"], [f"<{key_id}.Arn>"]),
    ]


def test_a_name_that_looks_like_a_whole_arn(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach: Callable[..., None],
    synthesize: Synthesize,
) -> None:
    """Secrets Manager takes the end of `otlp-secret` for the letters that it adds to ARNs."""
    named = secretsmanager.Secret.from_secret_name_v2(stack, "Named", "prod/otlp-secret")
    attach(make_function(), headers={"api-key": header_from_secret(named, field="key")})
    result = synthesize()
    headers = result.variables("function")["OTEL_EXPORTER_OTLP_HEADERS"]
    assert headers == "api-key={{secretsmanager:prod/otlp-secret:SecretString:key}}"
    (policy,) = result.resources("AWS::IAM::Policy")
    ((_, (arn,)),) = (plain(each) for each in policy["PolicyDocument"]["Statement"])
    assert arn.endswith(":secret:prod/otlp-secret-??????")


def test_a_secret_that_cloudformation_would_write_out_is_refused(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach: Callable[..., None],
    synthesize: Synthesize,
) -> None:
    """A secret's value that CDK hides in a token is found, and the function stays as it was."""
    secret = secretsmanager.Secret(stack, "Secret")
    value = secret.secret_value_from_json("key").unsafe_unwrap()
    attach(make_function(), headers={"api-key": value})
    result = synthesize()
    assert result.severities("Stack/function") == ["error"]
    assert result.variables("function") == {}


def test_a_secret_in_plain_text_is_warned_of(
    make_function: MakeFunction, attach: Callable[..., None], synthesize: Synthesize
) -> None:
    """A header that is named like a secret and given as text stands in the template: we say so."""
    attach(make_function(), headers={"x-honeycomb-team": "abc", "x-dataset": "shop"})
    ((path, messages),) = synthesize().messages.items()
    assert path.startswith("Stack/Telemetry-function")
    assert [severity for severity, _ in messages] == ["warning"]


def test_a_secret_in_plain_text_is_warned_of_from_the_app(
    app: cdk.App, make_function: MakeFunction, make_zip: MakeZip, synthesize: Synthesize
) -> None:
    """CDK tells nothing that is said of a construct outside of stacks: the layers say it."""
    telemetry = LoggerExtension(
        app, "Telemetry", layer_zips=[make_zip()], endpoint=ENDPOINT, headers={"api-key": "abc"}
    )
    for name in ("one", "two"):
        telemetry.attach(make_function(name))
    (messages,) = synthesize().messages.values()
    assert [severity for severity, _ in messages] == ["warning"]


def test_variables_of_the_function_stay(
    make_function: MakeFunction, attach: Callable[..., None], synthesize: Synthesize
) -> None:
    """What the function sets before or after wins, and what was set before is told."""
    function = make_function(environment={"OTEL_SERVICE_NAME": "mine", "OTHER": "1"})
    attach(function, service_name="ours", fallback="none", flush_policy="end")
    function.add_environment("LOGGER_EXTENSION_FALLBACK", "stdout")
    result = synthesize()
    assert result.variables("function") == {
        "OTHER": "1",
        "OTEL_SERVICE_NAME": "mine",
        "LOGGER_EXTENSION_FALLBACK": "stdout",
        "LOGGER_EXTENSION_FLUSH_POLICY": "end",
        "OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT,
    }
    ((severity, words),) = result.messages["Stack/function"]
    assert severity == "info"
    assert "OTEL_SERVICE_NAME" in words


def test_variables_that_cannot_be_read_are_not_overwritten(
    make_function: MakeFunction, attach: Callable[..., None], synthesize: Synthesize
) -> None:
    """Once the app has read the resource's environment it comes out empty: that is no licence."""
    function = make_function(environment={"OTEL_SERVICE_NAME": "mine"})
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    assert resource.environment is not None
    attach(function, service_name="ours")
    result = synthesize()
    assert result.severities("Stack/function") == ["error"]
    assert "Layers" not in result.function("function")


def test_a_second_time_changes_nothing(
    make_function: MakeFunction,
    attach: Callable[..., None],
    make_zip: MakeZip,
    stack: cdk.Stack,
    synthesize: Synthesize,
) -> None:
    """The first extension stays, whoever comes next."""
    function = make_function()
    telemetry = LoggerExtension(stack, "First", layer_zips=[make_zip()], endpoint=ENDPOINT)
    telemetry.attach(function)
    telemetry.attach(function)
    attach(function, service_name="second")
    result = synthesize()
    assert len(result.function("function")["Layers"]) == 1
    assert result.variables("function") == {"OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT}
    assert result.messages == {}


def make_misfit(kind: str, make: MakeFunction, stack: cdk.Stack) -> lambda_.Function:
    """Return a function that a layer for Python 3.13 on x86_64 does not fit."""
    if kind == "architecture":
        return make(architecture=lambda_.Architecture.ARM_64)
    if kind == "runtime":
        return make(runtime=lambda_.Runtime.NODEJS_22_X)
    if kind == "image":
        repository = ecr.Repository.from_repository_name(stack, "Repository", "functions")
        return make(
            runtime=lambda_.Runtime.FROM_IMAGE,
            handler=lambda_.Handler.FROM_IMAGE,
            code=lambda_.Code.from_ecr_image(repository),
        )
    if kind == "layers":
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:other:%s"
        versions = [
            lambda_.LayerVersion.from_layer_version_arn(stack, f"Layer{n}", arn % n)
            for n in range(5)
        ]
        return make(layers=versions)
    function = make(runtime=lambda_.Runtime.PYTHON_3_13)
    cloudfront.Distribution(
        stack,
        "Distribution",
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin("example.com"),
            edge_lambdas=[
                cloudfront.EdgeLambda(
                    function_version=function.current_version,
                    event_type=cloudfront.LambdaEdgeEventType.ORIGIN_REQUEST,
                )
            ],
        ),
    )
    return function


@pytest.mark.parametrize("kind", ["architecture", "runtime", "image", "layers", "edge"])
def test_what_does_not_fit_is_an_error_and_stays_as_it_was(
    kind: str,
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach: Callable[..., None],
    synthesize: Synthesize,
) -> None:
    """A function that takes no such layer gets an error in the synthesis, and no change."""
    attach(make_misfit(kind, make_function, stack))
    result = synthesize()
    assert result.severities("Stack/function") == ["error"]
    assert result.variables("function") == {}
    assert result.resources("AWS::Lambda::LayerVersion") == []


def test_a_secret_of_another_region_is_an_error(
    app: cdk.App, make_zip: MakeZip, make_function: MakeFunction, synthesize: Synthesize
) -> None:
    """A stack cannot refer to a secret that is made in another region."""
    elsewhere = cdk.Stack(app, "There", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
    secret = secretsmanager.Secret(elsewhere, "Secret")
    LoggerExtension(
        app,
        "Telemetry",
        layer_zips=[make_zip()],
        endpoint=ENDPOINT,
        headers={"api-key": header_from_secret(secret)},
    ).attach(make_function())
    assert synthesize().severities("Stack/function") == ["error"]


NODE, PYTHON = "NODEJS_22_X", "PYTHON_3_13"


@pytest.mark.parametrize(
    ("needs", "runtime", "extras", "fits"),
    [
        ({"protocol": "grpc"}, PYTHON, (), False),
        ({"protocol": "grpc"}, NODE, ("grpc",), True),
        ({"xray": True}, PYTHON, (), True),
        ({"xray": True}, NODE, (), False),
        ({"headers": {"api-key": "{{ssm:otlp}}"}}, NODE, ("grpc",), False),
        ({"headers": {"api-key": "{{ssm:otlp}}"}}, NODE, ("aws",), True),
        ({"endpoint": "https://{{secretsmanager:otlp}}"}, NODE, (), False),
    ],
)
def test_a_layer_without_what_is_needed_is_an_error(
    request: pytest.FixtureRequest,
    needs: dict[str, Any],
    runtime: str,
    extras: tuple[str, ...],
    *,
    fits: bool,
) -> None:
    """Only layers with the extra speak gRPC, and only Lambda's Python brings what signs."""
    function = request.getfixturevalue("make_function")(
        runtime=getattr(lambda_.Runtime, runtime), code=lambda_.Code.from_inline("// or #")
    )
    layer_zip = request.getfixturevalue("make_zip")(None, "x86_64", *extras)
    request.getfixturevalue("attach")(function, layer_zips=[layer_zip], **needs)
    result = request.getfixturevalue("synthesize")()
    assert result.severities("Stack/function") == ([] if fits else ["error"])
    assert bool(result.variables("function")) == fits


@pytest.mark.parametrize("kind", ["imported", "alias", "singleton"])
def test_what_is_no_function_of_the_app_is_an_error(
    kind: str,
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach: Callable[..., None],
    synthesize: Synthesize,
) -> None:
    """What cannot be given a layer itself is told so, whatever an app without types passes."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other"
    attach(make_function("ordinary"))
    passed: Any
    if kind == "imported":
        passed = lambda_.Function.from_function_arn(stack, "passed", arn)
    elif kind == "alias":
        version = make_function().current_version
        passed = lambda_.Alias(stack, "passed", alias_name="live", version=version)
    else:
        passed = lambda_.SingletonFunction(
            stack,
            "passed",
            uuid="one",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline("def handler(event, context): ..."),
        )
    attach(passed)
    result = synthesize()
    ((severity, words),) = result.messages["Stack/passed"]
    assert severity == "error"
    assert "lambda.Function" in words


def test_a_version_holds_what_was_attached(
    stack: cdk.Stack, make_function: MakeFunction, attach: Callable[..., None]
) -> None:
    """Layer and variables make a new version of the function, whenever it was asked for."""
    function = make_function(snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS)
    version = function.current_version.node.default_child
    assert isinstance(version, lambda_.CfnVersion)
    before = stack.resolve(version.logical_id)
    attach(function)
    assert stack.resolve(version.logical_id) != before


def test_a_key_known_by_its_alias(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach: Callable[..., None],
    synthesize: Synthesize,
) -> None:
    """IAM allows keys, not aliases: the key behind one is found or asked for."""
    alias = kms.Key(stack, "Key").add_alias("alias/own")
    mine = secretsmanager.Secret(stack, "Mine", encryption_key=alias)
    standard = kms.Alias.from_alias_name(stack, "Standard", "alias/aws/secretsmanager")
    awss = secretsmanager.Secret(stack, "Awss", encryption_key=standard)
    attach(make_function(), headers={"a": header_from_secret(mine), "b": header_from_secret(awss)})
    other = kms.Alias.from_alias_name(stack, "Alias", "alias/other")
    theirs = secretsmanager.Secret(stack, "Theirs", encryption_key=other)
    with pytest.raises(ValueError, match="alias"):
        header_from_secret(theirs)
    (policy,) = synthesize().resources("AWS::IAM::Policy")
    (decrypt,) = (s for s in policy["PolicyDocument"]["Statement"] if s["Action"] == "kms:Decrypt")
    assert list(decrypt["Resource"]) == ["Fn::GetAtt"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused(name: str, stack: cdk.Stack, make_zip: MakeZip) -> None:
    """Unusable properties are an error where they are given."""
    telemetry: Any = LoggerExtension
    with pytest.raises(ParameterError):
        telemetry(stack, "Telemetry", layer_zips=[make_zip()], **REFUSED[name])


def test_no_property_is_forgotten_by_the_sets() -> None:
    """The sets that are attached above have every row of the table."""
    used = {name for _, values in take_sets() for name in values}
    assert used == {each.name for each in PARAMETERS}
