"""The example app: what is deployed, and what CDK's and AWS's own rules say of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from cdk_nag import AwsSolutionsChecks

from deploy.cdk import LoggerExtension, header_from_secret
from deploy.cdk.app import HelloStack, Settings
from deploy.stage import REPOSITORY
from tests.support.parameter_sets import ENDPOINT

MakeZip = Callable[..., Path]
Synthesize = Callable[[], Any]

# The first synthesis of a process loads all of CDK into Node.js.
pytestmark = pytest.mark.timeout(90)

XRAY_WILDCARD = "AwsSolutions-IAM5[Resource::*]"

CDK_JSON = json.loads((REPOSITORY / "deploy" / "cdk" / "cdk.json").read_text())


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    """An app with the context of cdk.json: what CDK finds in a template stops the synthesis."""
    outdir = str(tmp_path / "cdk.out")
    return cdk.App(outdir=outdir, analytics_reporting=False, context=CDK_JSON["context"])


@pytest.fixture
def settings(make_zip: MakeZip) -> dict[str, Any]:
    """The least that the example needs."""
    return {"layer_zips": (str(make_zip("3.14")),), "endpoint": ENDPOINT}


def test_the_function_asks_for_a_signature(
    app: cdk.App, settings: dict[str, Any], synthesize: Synthesize
) -> None:
    """The URL is for IAM, the function has the layer's runtime, and nobody else may call it."""
    HelloStack(app, "Stack", Settings(**settings))
    result = synthesize()
    (url,) = result.resources("AWS::Lambda::Url")
    (function,) = result.resources("AWS::Lambda::Function")
    assert url["AuthType"] == "AWS_IAM"
    assert (function["Runtime"], function["Architectures"]) == ("python3.14", ["x86_64"])
    assert function["Environment"]["Variables"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == ENDPOINT
    assert result.resources("AWS::Lambda::Permission") == []
    assert set(result.templates["Stack"]["Outputs"]) == {"Url", "FunctionName"}
    assert result.messages == {}


def test_public_is_asked_for_and_warned_of(
    app: cdk.App, settings: dict[str, Any], synthesize: Synthesize
) -> None:
    """Anyone may call the URL only where that was asked for, and with a warning."""
    HelloStack(app, "Stack", Settings(**settings, is_public=True))
    result = synthesize()
    (url,) = result.resources("AWS::Lambda::Url")
    assert url["AuthType"] == "NONE"
    assert result.severities("Stack/Hello") == ["warning"]


def test_the_example_breaks_no_rule_of_aws_solutions(
    app: cdk.App, settings: dict[str, Any]
) -> None:
    """cdk-nag finds nothing in the example, with a secret, and nothing is suppressed."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    HelloStack(app, "Stack", Settings(**settings, secret_name="otlp"))  # noqa: S106 - its name
    app.synth()


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_xrays_wildcard_is_all_that_has_to_be_acknowledged(
    *,
    is_acknowledged: bool,
    app: cdk.App,
    stack: cdk.Stack,
    make_function: Callable[..., lambda_.Function],
    settings: dict[str, Any],
) -> None:
    """With every permission cdk-nag finds one thing, for which there is a reason."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    LoggerExtension(
        stack,
        "Telemetry",
        **settings,
        xray=True,
        log_group="telemetry",
        log_stream="all",
        headers={
            "api-key": header_from_secret(
                secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "otlp")
            )
        },
    ).attach(make_function(role=role, runtime=lambda_.Runtime.PYTHON_3_14))
    if is_acknowledged:
        reason = "None of X-Ray's actions that write can be limited to a resource."
        wildcard = cdk.Acknowledgment(id=XRAY_WILDCARD, reason=reason)
        cdk.Validations.of(role).acknowledge(wildcard)
        app.synth()
    else:
        with pytest.raises(RuntimeError, match=r"IAM5\[Resource::\*\]"):
            app.synth()


def test_context_is_what_the_settings_are(app: cdk.App) -> None:
    """Each `-c` has its setting; a missing or unknown one says what to set."""
    context = {"layer": "a.zip,b.zip", "endpoint": ENDPOINT, "secret": "otlp", "public": "true"}
    read = Settings.read(cdk.App(context=context, outdir=app.outdir))
    assert read == Settings(
        layer_zips=("a.zip", "b.zip"),
        endpoint=ENDPOINT,
        secret_name="otlp",  # noqa: S106 - its name
        is_public=True,
    )
    for name, value in ("layer", ""), ("endpoint", ""), ("public", "yes"):
        wrong = cdk.App(context={**context, name: value}, outdir=app.outdir)
        with pytest.raises(ValueError, match=name):
            Settings.read(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("is_complete", [True, False])
def test_the_command_of_cdk_json(
    *, is_complete: bool, settings: dict[str, Any], tmp_path: Path
) -> None:
    """What `cdk synth` runs makes a template, or says in one line what to set."""
    outdir = tmp_path / "assembly"
    context = CDK_JSON["context"] | ({"layer": settings["layer_zips"][0]} if is_complete else {})
    command = CDK_JSON["app"].split()
    assert command[0] == "python3"
    done = subprocess.run(
        [sys.executable, *command[1:]],
        cwd=REPOSITORY / "deploy" / "cdk",
        env={
            **os.environ,
            "CDK_OUTDIR": str(outdir),
            "CDK_CONTEXT_JSON": json.dumps({**context, "endpoint": ENDPOINT}),
        },
        capture_output=True,
        check=False,
        text=True,
    )
    template = outdir / "LoggerExtensionHello.template.json"
    assert (done.returncode == 0, template.is_file()) == (is_complete, is_complete), done.stderr
    assert "Traceback" not in done.stderr
    assert is_complete or "-c layer=" in done.stderr
