"""The SAM template has the parameters of the table, and makes of them what the others make."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from deploy.environment import make_variables, write
from deploy.parameters import PARAMETERS, Kind, Parameter
from deploy.permissions import make_statements
from deploy.stage import REPOSITORY
from tests.support.aws_services import run_aws_services
from tests.support.cloudformation import Stack, Template, read_template, transform
from tests.support.parameter_sets import (
    ACCOUNT,
    ENDPOINT,
    PARTITION,
    PLACE,
    REGION,
    SUFFIX,
    Set,
    refuse_alone,
    refuse_together,
    take_sets,
)

PATH = REPOSITORY / "deploy" / "sam" / "template.yaml"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": PARTITION,
    "AWS::URLSuffix": SUFFIX,
}

# A map of variables is no kind of parameter: in SAM they are written into Globals by hand.
EXCEPTION = "settings"
ROWS = {each.name: each for each in PARAMETERS if each.name != EXCEPTION}

TAKEN = {name: values for name, values in take_sets() if name != EXCEPTION}
REFUSED_ALONE = {
    name: (fault, values) for name, fault, values in refuse_alone() if fault != EXCEPTION
}
REFUSED_TOGETHER = {name: values for name, fault, values in refuse_together() if fault != EXCEPTION}


@pytest.fixture(scope="module")
def template() -> Template:
    """The template as CloudFormation sees it."""
    return transform(read_template(PATH), REGION)


def test_parameters_are_the_table() -> None:
    """Names, choices and descriptions are those of the table, in its order; all may be left out."""
    parameters = read_template(PATH)["Parameters"]
    assert list(parameters) == [each.pascal for each in ROWS.values()]
    for each in ROWS.values():
        found = parameters[each.pascal]
        is_list = each.kind is Kind.LIST
        assert found["Type"] == ("CommaDelimitedList" if is_list else "String")
        assert found["Default"] == ("false" if each.kind is Kind.BOOLEAN else "")
        assert found["Description"].startswith(each.meaning)
        assert tuple(found.get("AllowedValues", ())) == find_choices(each)


def find_choices(parameter: Parameter) -> tuple[str, ...]:
    """Return what CloudFormation shall offer; empty is unset."""
    if parameter.kind is Kind.BOOLEAN:
        return ("false", "true")
    return ("", *parameter.choices) if parameter.choices else ()


@pytest.mark.parametrize("name", TAKEN)
def test_makes_what_the_others_make(name: str, template: Template) -> None:
    """Variables and policy of a usable set are those of the pure functions."""
    values = {key: value for key, value in TAKEN[name].items() if key != EXCEPTION}
    stack = Stack(template, write_parameters(values), PSEUDO)
    assert stack.find_faults() == []
    environment = stack.properties("Hello")["Environment"]["Variables"]
    assert environment == make_variables(values, PLACE)
    statements = make_statements(values, PLACE)
    assert find_statements(stack) == statements


@pytest.mark.parametrize("name", REFUSED_ALONE)
def test_refuses_what_cannot_be_used(name: str, template: Template) -> None:
    """A value that cannot be used fails by its own parameter."""
    fault, values = REFUSED_ALONE[name]
    faults = Stack(template, write_parameters(values), PSEUDO).find_faults()
    assert faults == [ROWS[fault].pascal]


@pytest.mark.parametrize("name", REFUSED_TOGETHER)
def test_refuses_what_does_not_fit(name: str, template: Template) -> None:
    """Parameters that do not fit each other fail by a rule."""
    stack = Stack(template, write_parameters(REFUSED_TOGETHER[name]), PSEUDO)
    faults = stack.find_faults()
    assert faults
    assert set(faults) <= set(template["Rules"])


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("PriceRequest", "2e-07"),
        ("StalenessLimitMs", "1.5"),
        ("LogStream", "a,b"),
        ("LogStream", "100%"),
        ("LogGroup", "arn:aws:logs:eu-west-1:123456789012:log-group:name"),
    ],
)
def test_refuses_what_has_another_form(parameter: str, text: str, template: Template) -> None:
    """What would come out as something else does not come in."""
    given = {"Endpoint": ENDPOINT, "LogGroup": "group", "LogStream": "stream", parameter: text}
    assert Stack(template, given, PSEUDO).find_faults() == [parameter]


def test_layer_and_url(template: Template) -> None:
    """The function has the layer, and its URL takes signed requests only."""
    stack = Stack(template, {"Endpoint": ENDPOINT}, PSEUDO)
    [layer] = stack.properties("Hello")["Layers"]
    assert template["Resources"][layer]["Type"] == "AWS::Lambda::LayerVersion"
    assert stack.properties("HelloUrl")["AuthType"] == "AWS_IAM"
    public = [each for each in template["Resources"].values() if "Permission" in each["Type"]]
    assert public == []


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "command",
    [
        ("cfn-lint", str(PATH)),
        ("sam", "validate", "--lint", "--region", "eu-west-1", "--template", str(PATH)),
    ],
    ids=lambda command: command[0],
)
def test_lint(command: tuple[str, ...], tmp_path: Path) -> None:
    """Both of AWS's linters have nothing to say."""
    done = run(*command, home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_package(tmp_path: Path) -> None:
    """`sam package` finds the layer's zip and the function, and uploads both as they are."""
    template = tmp_path / PATH.relative_to(REPOSITORY)
    shutil.copytree(PATH.parent, template.parent)
    code = Path("examples", "hello", "app.py")
    (tmp_path / code).parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / code, tmp_path / code)
    content = read_template(PATH)["Resources"]["TelemetryLayer"]["Properties"]["ContentUri"]
    layer = (template.parent / content).resolve()
    layer.parent.mkdir()
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr("extensions/logger-extension", "a launcher")
    with run_aws_services() as services:
        s3: Any = botocore.session.Session().create_client(
            "s3",
            region_name=services.environ["AWS_REGION"],
            endpoint_url=services.url,
            aws_access_key_id=services.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=services.environ["AWS_SECRET_ACCESS_KEY"],
        )
        s3.create_bucket(Bucket="artifacts")
        target = ("--s3-bucket", "artifacts", "--region", services.environ["AWS_REGION"])
        command = ("sam", "package", "--template", str(template), *target)
        done = run(*command, home=tmp_path, environ=services.environ)
        assert done.returncode == 0, done.stderr
        uploaded = [
            s3.get_object(Bucket="artifacts", Key=each["Key"])["Body"].read()
            for each in s3.list_objects_v2(Bucket="artifacts")["Contents"]
        ]
        s3.close()
    names = sorted(zipfile.ZipFile(io.BytesIO(each)).namelist() for each in uploaded)
    assert names == [["app.py"], ["extensions/logger-extension"]]
    assert layer.read_bytes() in uploaded


def run(
    *command: str, home: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment, which leaves what it keeps in `home`."""
    return subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]],
        cwd=home,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "SAM_CLI_TELEMETRY": "0",
            **(environ or {}),
        },
        check=False,
        capture_output=True,
        text=True,
    )


def write_parameters(values: Set) -> dict[str, str]:
    """Return parameters as someone would write them for CloudFormation."""
    return {
        ROWS[name].pascal: str(value).lower()
        if ROWS[name].kind is Kind.BOOLEAN
        else write(ROWS[name], value)
        for name, value in values.items()
    }


def find_statements(stack: Stack) -> list[Any]:
    """Return what the function's role may do beside writing its own log."""
    policies = stack.properties("HelloRole")["ManagedPolicyArns"]
    assert len(policies) == 1 + stack.has("TelemetryPolicy")
    if not stack.has("TelemetryPolicy"):
        return []
    assert policies[-1] == "TelemetryPolicy"
    statements = stack.properties("TelemetryPolicy")["PolicyDocument"]["Statement"]
    assert isinstance(statements, list)
    return statements
