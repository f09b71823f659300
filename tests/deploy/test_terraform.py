"""The Terraform module has the parameters of the table, and makes of them what the others make."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.environment import make_variables
from deploy.parameters import PARAMETERS, Kind
from deploy.permissions import make_statements
from deploy.stage import REPOSITORY
from tests.support.parameter_sets import (
    ACCOUNT,
    ENDPOINT,
    PARTITION,
    PLACE,
    REGION,
    SECRET,
    SUFFIX,
    Set,
    refuse_alone,
    refuse_together,
    take_sets,
)
from tests.support.terraform import Diagnostic, Module, assert_equal, escape, explain_lack, run

MODULE = REPOSITORY / "deploy" / "terraform"
ZIP = "logger-extension-python3.12-x86_64-grpc.zip"
BUNDLED_ZIP = "logger-extension-any-arm64.zip"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:logger-extension:1"

# What the module needs beside the table.
OWN = {"layer_zip", "layer_name"}

VARIABLE = re.compile(
    r'^variable "(?P<name>\w+)" \{\n  description = "(?P<meaning>.*)"\n'
    r"  type        = (?P<type>.*)\n"
    r"(?:  default     = (?P<default>.*)\n)?",
    re.MULTILINE,
)
TYPES = {
    Kind.TEXT: ("string", "null"),
    Kind.BOOLEAN: ("bool", "false"),
    Kind.INTEGER: ("number", "null"),
    Kind.NUMBER: ("number", "null"),
    Kind.LIST: ("list(string)", "[]"),
    Kind.MAP: ("map(string)", "{}"),
}

TAKEN = dict(take_sets())
# A plan ends before it compares parameters with each other where one by itself is unusable.
REFUSED_ALONE = {name: (fault, values) for name, fault, values in refuse_alone()}
REFUSED_TOGETHER = {name: (fault, values) for name, fault, values in refuse_together()}

# Made in the same apply: its attributes are not known when it is planned.
MADE = "aws_secretsmanager_secret.otlp"
UNKNOWN: Set = {
    "endpoint": f"https://${{{MADE}.id}}",
    "headers": {"key": f"{{{{secretsmanager:${{{MADE}.arn}}}}}}"},
    "secret_arns": [f"${{{MADE}.arn}}"],
    "settings": {"OTEL_EXPORTER_OTLP_CERTIFICATE": f"${{{MADE}.id}}"},
}
RESOURCES = {
    "aws_secretsmanager_secret": {"otlp": {}},
    "aws_iam_role_policy": {
        "unknown": {
            "count": "${module.unknown.policy_json == null ? 0 : 1}",
            "role": "role",
            "policy": "${module.unknown.policy_json}",
        }
    },
}

# What a variable of the caller leaves out.
WITHOUT_NULLS: Set = {
    "endpoint": ENDPOINT,
    "resource_attributes": {"kept": "yes"},
    "settings": {"OTEL_EXPORTER_OTLP_TIMEOUT": "9000"},
}
NULLS: dict[str, Any] = {
    **WITHOUT_NULLS,
    "headers": {"left": None},
    "resource_attributes": {"kept": "yes", "left": None},
    "settings": {"OTEL_EXPORTER_OTLP_TIMEOUT": "9000", "OTEL_EXPORTER_OTLP_CERTIFICATE": None},
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
needs_terraform = pytest.mark.skipif(bool(explain_lack()), reason=explain_lack())


def test_variables_are_the_table() -> None:
    """Names, types, defaults and descriptions are those of the table, in its order."""
    text = (MODULE / "variables.tf").read_text()
    found = [each.groupdict() for each in VARIABLE.finditer(text)]
    assert len(found) == text.count('variable "'), "the pattern sees all"
    assert {each["name"] for each in found} >= OWN
    rows = [each for each in found if each["name"] not in OWN]
    assert [(row["name"], row["type"], row["default"]) for row in rows] == [
        (each.name, *TYPES[each.kind]) for each in PARAMETERS
    ]
    assert [row["meaning"] for row in rows] == [each.meaning for each in PARAMETERS]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs the terraform command")
def test_format(tmp_path: Path) -> None:
    """`terraform fmt` has nothing to change."""
    done = run("fmt", "-check", "-recursive", "-diff", folder=MODULE, home=tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def taken(tmp_path_factory: pytest.TempPathFactory) -> list[Diagnostic]:
    """What is wrong with the usable sets, planned all in one."""
    folder = tmp_path_factory.mktemp("taken")
    (folder / "resources.tf.json").write_text(json.dumps({"resource": RESOURCES}))
    assertions = [each for name, values in TAKEN.items() for each in expect(name, values)]
    count = "length(aws_iam_role_policy.unknown)"
    assertions += [*expect("nulls", WITHOUT_NULLS), assert_equal(count, 1, " unknown")]
    return plan_calls(folder, {**escape(TAKEN), "unknown": UNKNOWN, "nulls": NULLS}, assertions)


@pytest.fixture(scope="session")
def refused(tmp_path_factory: pytest.TempPathFactory) -> list[Diagnostic]:
    """What is wrong with the unusable sets, planned in two."""
    diagnostics = []
    for group in REFUSED_ALONE, REFUSED_TOGETHER:
        # An absent argument has no place in a file that a diagnostic could name; null is the same.
        sets = {name: {fault: "${null}", **values} for name, (fault, values) in group.items()}
        diagnostics += plan_calls(tmp_path_factory.mktemp("refused"), sets, [])
    return diagnostics


@needs_terraform
@pytest.mark.parametrize("name", [*TAKEN, "unknown", "nulls"])
def test_makes_what_the_others_make(name: str, taken: list[Diagnostic]) -> None:
    """Variables and policy of a usable set are those of the pure function.

    Nulls in maps are left out. With a secret that is made in the same apply it is planned that
    there is a policy.
    """
    wrong = [each.message for each in taken if f" {identify(name)}: " in each.message]
    assert wrong == []


@needs_terraform
def test_usable_sets_are_taken(taken: list[Diagnostic]) -> None:
    """Nothing else is wrong with them either."""
    assert taken == []


@needs_terraform
@pytest.mark.parametrize("name", [*REFUSED_ALONE, *REFUSED_TOGETHER])
def test_refuses_what_cannot_work(name: str, refused: list[Diagnostic]) -> None:
    """An unusable set fails by the validation of the parameter that is at fault, and no other."""
    faults = {
        find_variable(each.message) for each in refused if each.file == f"{identify(name)}.tf.json"
    }
    assert faults == {(REFUSED_ALONE | REFUSED_TOGETHER)[name][0]}


@pytest.fixture
def module(tmp_path: Path) -> Module:
    """The module by itself, valid."""
    shutil.copytree(MODULE, tmp_path / "module")
    for name in ZIP, BUNDLED_ZIP:
        (tmp_path / "module" / name).write_bytes(b"a layer")
    made = Module(tmp_path / "module", tmp_path)
    done = made.run("validate", "-no-color")
    assert done.returncode == 0, done.stdout
    return made


@needs_terraform
def test_layer(module: Module) -> None:
    """The zip's name tells what the layer fits; a name or a file that is none is refused."""
    layer = "aws_lambda_layer_version.this"
    bundled = {"layer_zip": BUNDLED_ZIP, "layer_name": "telemetry"}
    runs = {
        "managed": make_run(
            assert_equal(f"{layer}.compatible_runtimes", ["python3.12"]),
            assert_equal(f"{layer}.compatible_architectures", ["x86_64"]),
            assert_equal("output.runtime", "python3.12"),
            variables={"layer_zip": ZIP},
        ),
        "bundled": make_run(
            assert_equal(f"{layer}.layer_name", "telemetry"),
            assert_equal(f"{layer}.compatible_runtimes", None),
            assert_equal("output.architecture", "arm64"),
            assert_equal("output.runtime", None),
            variables=bundled,
        ),
        "without_grpc": make_run(
            variables={**bundled, "protocol": "grpc"}, expect_failures=["var.protocol"]
        ),
        "absent": make_run(variables={"layer_zip": f"no/{ZIP}"}, expect_failures=["var.layer_zip"]),
        "renamed": make_run(variables={"layer_zip": "main.tf"}, expect_failures=["var.layer_zip"]),
    }
    content = make_test(runs) | {"variables": {"endpoint": ENDPOINT}}
    assert module.test(content) == (True, [])


@needs_terraform
def test_example(tmp_path: Path) -> None:
    """The function has layer, variables and URL, and a policy only where it needs one."""
    shutil.copytree(MODULE, tmp_path / "module")
    folder = tmp_path / "module" / "examples" / "hello"
    for name in ZIP, "hello.zip":
        (folder / name).write_bytes(b"a layer or a function")
    function = "aws_lambda_function.hello"
    variables = make_variables({"endpoint": ENDPOINT}, PLACE)
    runs = {
        "plain": make_run(
            assert_equal(f"{function}.layers", [LAYER]),
            assert_equal(f"{function}.environment[0].variables", variables),
            assert_equal("aws_lambda_function_url.hello.authorization_type", "AWS_IAM"),
            assert_equal("length(aws_iam_role_policy.telemetry)", 0),
        ),
        "secret": make_run(
            assert_equal("length(aws_iam_role_policy.telemetry)", 1),
            variables={"secret_arn": SECRET},
        ),
    }
    content = make_test(runs) | {
        "variables": {"endpoint": ENDPOINT, "layer_zip": ZIP, "function_zip": "hello.zip"},
        "override_resource": [
            {
                "target": "module.telemetry.aws_lambda_layer_version.this",
                "override_during": "plan",
                "values": {"arn": LAYER},
            }
        ],
    }
    assert Module(folder, tmp_path).test(content) == (True, [])


def plan_calls(
    folder: Path, sets: Mapping[str, Set], assertions: list[dict[str, str]]
) -> list[Diagnostic]:
    """Return what is wrong when the module is called once for each set, in a file of its own."""
    shutil.copytree(MODULE, folder / "module")
    (folder / ZIP).write_bytes(b"a layer")
    for name, values in sets.items():
        call = {"source": "./module", "layer_zip": ZIP, **values}
        (folder / f"{identify(name)}.tf.json").write_text(
            json.dumps({"module": {identify(name): call}})
        )
    (folder / "root.tf.json").write_text(json.dumps({"provider": {"aws": {}}}))
    return Module(folder, folder).test(make_test({"all": make_run(*assertions)}))[1]


def expect(name: str, values: Set) -> list[dict[str, str]]:
    """Return the assertions that a call agrees with the pure functions."""
    statements = make_statements(values, PLACE)
    policy = {"Version": "2012-10-17", "Statement": statements} if statements else None
    called = f"module.{identify(name)}"
    variables = make_variables(values, PLACE)
    return [
        assert_equal(f"{called}.environment", variables, f" {identify(name)}"),
        assert_equal(f"try(jsondecode({called}.policy_json), null)", policy, f" {identify(name)}"),
    ]


def make_run(*assertions: dict[str, str], **others: object) -> dict[str, Any]:
    """Return a run of a test file."""
    return {"command": "plan", "assert": list(assertions), **others}


def make_test(runs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a test file whose provider answers as AWS in one account and region would."""
    answers = {
        "aws_caller_identity": {"account_id": ACCOUNT},
        "aws_partition": {"partition": PARTITION, "dns_suffix": SUFFIX},
        "aws_region": {"id": REGION},
    }
    data = {source: {"defaults": values} for source, values in answers.items()}
    return {"mock_provider": {"aws": {"mock_data": data}}, "run": runs}


def identify(name: str) -> str:
    """Return a name that Terraform takes for a module."""
    return re.sub(r"\W+", "_", name)


def find_variable(message: str) -> str:
    """Return whose validation a message is from."""
    place = re.search(r"validation rule at module/variables\.tf:(\d+),", message)
    assert place is not None, message
    lines = (MODULE / "variables.tf").read_text().splitlines()[: int(place[1])]
    return [line for line in lines if line.startswith("variable ")][-1].split('"')[1]
