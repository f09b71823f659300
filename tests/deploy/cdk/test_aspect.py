"""The Aspect attaches to every function of an app where it fits, and never stops the app."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import custom_resources

from deploy.cdk import LoggerExtension, header_from_secret
from tests.support.parameter_sets import ACCOUNT, ENDPOINT

# The first synthesis of a process loads all of CDK into Node.js.
pytestmark = pytest.mark.timeout(90)

MakeFunction = Callable[..., lambda_.Function]
MakeZip = Callable[..., Path]
Synthesize = Callable[[], Any]


@pytest.fixture
def attach_to_all(app: cdk.App, make_zip: MakeZip) -> Callable[..., LoggerExtension]:
    """Attach by Aspect to the whole app."""

    def attach(*zips: tuple[str | None, str], **properties: Any) -> LoggerExtension:
        exclude = properties.pop("exclude", None)
        telemetry = LoggerExtension(
            app,
            "Telemetry",
            layer_zips=[make_zip(*each) for each in zips or [("3.13", "x86_64")]],
            **{"endpoint": ENDPOINT, **properties},
        )
        cdk.Aspects.of(app).add(telemetry.as_aspect(exclude=exclude))
        return telemetry

    return attach


def has_layer(function: dict[str, Any]) -> bool:
    """Return whether a function has the extension, layer and variables."""
    variables = function.get("Environment", {}).get("Variables", {})
    return bool(function.get("Layers")) and "OTEL_EXPORTER_OTLP_ENDPOINT" in variables


def test_each_function_gets_the_layer_that_fits(
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """The zip for the very runtime is chosen, else the one with an interpreter of its own."""
    attach_to_all(("3.13", "x86_64"), ("3.12", "arm64"), (None, "x86_64"), (None, "arm64"))
    arm = lambda_.Architecture.ARM_64
    make_function("python313-x86_64")
    make_function("python312-arm64", runtime=lambda_.Runtime.PYTHON_3_12, architecture=arm)
    make_function("any-x86_64", runtime=lambda_.Runtime.NODEJS_22_X)
    make_function("any-arm64", architecture=arm)
    by_hand = lambda_.Runtime("python3.13", supports_inline_code=True)
    make_function("by-hand-313-x86_64", runtime=by_hand)
    result = synthesize()
    for each in result.resources("AWS::Lambda::Function"):
        assert has_layer(each)
        ((_, layer),) = each["Layers"][0].items()
        name = each["FunctionName"].replace("by-hand-", "python").replace("-", "")
        assert name.replace("_", "") in layer.replace("_", "")
    assert len(result.resources("AWS::Lambda::LayerVersion")) == 4
    assert result.messages == {}


def test_functions_of_all_stacks_and_environments(
    app: cdk.App,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """Each stack has a layer version of its own, so no stack depends on another."""
    attach_to_all()
    environment = cdk.Environment(account=ACCOUNT, region="us-east-1")
    stacks = [cdk.Stack(app, "Any"), cdk.Stack(app, "Any2")]
    stacks += [cdk.Stack(app, "There", env=environment)]
    for each in stacks:
        make_function("one", scope=each)
        make_function("two", scope=each)
    result = synthesize()
    for each in stacks:
        assert len(result.resources("AWS::Lambda::LayerVersion", each.node.id)) == 1
        assert has_layer(result.function("one", each.node.id))
        assert has_layer(result.function("two", each.node.id))
        assert "Outputs" not in result.templates[each.node.id]


def test_what_does_not_fit_is_left_with_a_warning(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """Functions of another runtime, and CDK's own for custom resources, stay as they were."""
    attach_to_all()
    make_function("node", runtime=lambda_.Runtime.NODEJS_22_X)
    lambda_.CfnFunction(
        stack,
        "Raw",
        role="arn:aws:iam::123456789012:role/raw",
        runtime="python3.13",
        handler="index.handler",
        code=lambda_.CfnFunction.CodeProperty(zip_file="def handler(event, context): ..."),
    )
    s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    custom_resources.AwsCustomResource(
        stack,
        "Custom",
        install_latest_aws_sdk=False,
        policy=custom_resources.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"]),
        on_create=custom_resources.AwsSdkCall(
            service="s3",
            action="listBuckets",
            physical_resource_id=custom_resources.PhysicalResourceId.of("buckets"),
        ),
    )
    result = synthesize()
    functions = result.resources("AWS::Lambda::Function")
    assert len(functions) == 4
    assert not any(has_layer(each) for each in functions)
    severities = [severity for path in result.messages for severity in result.severities(path)]
    assert severities == ["warning"] * 3


def test_a_function_that_cannot_be_told_is_left(
    app: cdk.App,
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """Where a stack cannot refer to a secret or the collector, the app is not stopped by it."""
    secret = secretsmanager.Secret(stack, "Secret")
    balancer = elb.CfnLoadBalancer(stack, "Balancer", type="network", subnets=["subnet-1"])
    attach_to_all(
        endpoint=f"http://{balancer.attr_dns_name}:4318",
        headers={"api-key": header_from_secret(secret)},
    )
    other = cdk.Stack(app, "There", env=cdk.Environment(account=ACCOUNT, region="us-east-1"))
    same = cdk.Stack(app, "Here")
    for each in (stack, other, same):
        make_function("function", scope=each)
    result = synthesize()
    assert has_layer(result.function("function"))
    assert has_layer(result.function("function", "Here"))
    assert not has_layer(result.function("function", "There"))
    assert result.severities("There/function") == ["warning"]


def test_a_stage_cannot_refer_to_the_app(
    app: cdk.App,
    stack: cdk.Stack,
    make_function: MakeFunction,
    make_zip: MakeZip,
    synthesize: Synthesize,
) -> None:
    """CDK ends at a value of another stage, so a function that would need one is left."""
    stage = cdk.Stage(app, "Prod")
    balancer = elb.CfnLoadBalancer(stack, "Balancer", type="network", subnets=["subnet-1"])
    endpoint = f"http://{balancer.attr_dns_name}:4318"
    telemetry = LoggerExtension(app, "Telemetry", layer_zips=[make_zip()], endpoint=endpoint)
    cdk.Aspects.of(stage).add(telemetry.as_aspect())
    inner = cdk.Stack(stage, "Inner")
    make_function("function", scope=inner)
    synthesize()
    assert not template_has_layer(stage)


def template_has_layer(stage: cdk.Stage) -> bool:
    """Return whether anything in the templates of a synthesized stage has the extension."""
    templates = [each.template for each in stage.synth().stacks]
    return "OTEL_EXPORTER_OTLP_ENDPOINT" in str(templates)


@pytest.mark.parametrize("is_reached", [True, False])
def test_stages_that_are_not_reached_are_told(
    *,
    is_reached: bool,
    app: cdk.App,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
) -> None:
    """CDK takes no Aspect into a stage; nobody shall learn of it by the telemetry that lacks."""
    telemetry = attach_to_all()
    stage = cdk.Stage(app, "Prod")
    make_function("function", scope=cdk.Stack(stage, "Inner"))
    misfits = cdk.Stage(app, "Misfits")
    make_function("node", scope=cdk.Stack(misfits, "Inner"), runtime=lambda_.Runtime.NODEJS_22_X)
    cdk.Aspects.of(misfits).add(telemetry.as_aspect())
    if is_reached:
        cdk.Aspects.of(stage).add(telemetry.as_aspect())
        app.synth()
    else:
        with pytest.warns(UserWarning, match="each of Prod$"):
            app.synth()
    assert template_has_layer(stage) == is_reached


def test_a_nested_stack_has_its_own_layer(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    app: cdk.App,
) -> None:
    """Nothing has to be passed from a stack to one within it."""
    attach_to_all()
    nested = cdk.NestedStack(stack, "Nested")
    make_function("function", scope=nested)
    outdir = Path(app.synth().directory)
    template = json.loads((outdir / nested.template_file).read_text())
    kinds = [each["Type"] for each in template["Resources"].values()]
    assert kinds.count("AWS::Lambda::LayerVersion") == 1
    assert "Parameters" not in template


def test_a_role_that_the_app_cannot_change_is_told(
    stack: cdk.Stack,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """CDK drops what an imported role should be allowed; one that it may change gets a policy."""
    attach_to_all(xray=True)
    arn = f"arn:aws:iam::{ACCOUNT}:role/%s"
    fixed = iam.Role.from_role_arn(stack, "Fixed", arn % "fixed", mutable=False)
    imported = iam.Role.from_role_arn(stack, "Imported", arn % "imported")
    make_function("fixed", role=fixed)
    make_function("imported", role=imported)
    result = synthesize()
    ((severity, words),) = result.messages["Stack/fixed"]
    assert severity == "warning"
    assert "xray:PutSpans" in words
    assert list(result.messages) == ["Stack/fixed"]
    (policy,) = result.resources("AWS::IAM::Policy")
    assert policy["Roles"] == ["imported"]
    assert has_layer(result.function("fixed"))


def test_no_more_variables_than_lambda_takes(
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """A function whose own variables nearly fill the room that Lambda has for them is left."""
    attach_to_all()
    make_function("full", environment={"OWN": "x" * 4050})
    result = synthesize()
    assert result.severities("Stack/full") == ["warning"]
    assert list(result.variables("full")) == ["OWN"]


def test_excluded_functions_are_left_without_a_word(
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """What the app excludes has neither the extension nor a warning."""
    attach_to_all(exclude=lambda function: function.node.id == "quiet")
    make_function("quiet")
    make_function("loud")
    result = synthesize()
    assert not has_layer(result.function("quiet"))
    assert has_layer(result.function("loud"))
    assert result.messages == {}


def test_functions_that_are_attached_keep_what_they_have(
    app: cdk.App,
    make_function: MakeFunction,
    make_zip: MakeZip,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """An Aspect twice, and settings of its own for one function, give each function one layer."""
    telemetry = attach_to_all()
    cdk.Aspects.of(app).add(telemetry.as_aspect())
    special = LoggerExtension(
        app, "Special", layer_zips=[make_zip()], endpoint=ENDPOINT, flush_policy="end"
    )
    special.attach(make_function("special"))
    make_function("ordinary")
    result = synthesize()
    special_one, ordinary = result.function("special"), result.function("ordinary")
    assert (len(special_one["Layers"]), len(ordinary["Layers"])) == (1, 1)
    assert result.variables("special")["LOGGER_EXTENSION_FLUSH_POLICY"] == "end"
    assert "LOGGER_EXTENSION_FLUSH_POLICY" not in result.variables("ordinary")
    assert result.messages == {}


@pytest.mark.parametrize(
    "app",
    [{"@aws-cdk/core:aspectStabilization": is_stable} for is_stable in (True, False)],
    ids=["stable", "single pass"],
    indirect=True,
)
def test_other_aspects_stay_in_force(
    app: cdk.App,
    make_function: MakeFunction,
    attach_to_all: Callable[..., LoggerExtension],
    synthesize: Synthesize,
) -> None:
    """Tags, which are Aspects too, reach a function in both ways that CDK runs them."""
    cdk.Tags.of(app).add("team", "shop")
    attach_to_all(service_name="ours")
    make_function("mine", environment={"OTEL_SERVICE_NAME": "mine"})
    result = synthesize()
    assert result.variables("mine")["OTEL_SERVICE_NAME"] == "mine"
    assert result.function("mine")["Tags"] == [{"Key": "team", "Value": "shop"}]
    assert has_layer(result.function("mine"))
