"""Apps of CDK, synthesized into the test's own folder, and zips with the builder's manifest."""

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import cx_api

from deploy.cdk.layers import MANIFEST
from deploy.layer.distributions import read_own
from deploy.layer.manifest import write_manifest
from deploy.layer.target import Target

ENDPOINT = "https://collector.example.com:4318"


@dataclass(frozen=True, slots=True)
class Synthesized:
    """What an app became.

    Attributes:
        templates: by stack.
        messages: severity and words of each annotation, by the path of the construct.
    """

    templates: Mapping[str, dict[str, Any]]
    messages: Mapping[str, list[tuple[str, str]]]

    def resources(self, kind: str, stack: str = "Stack") -> list[dict[str, Any]]:
        """Return the properties of all resources of a kind."""
        found = self.templates[stack].get("Resources", {}).values()
        return [each.get("Properties", {}) for each in found if each["Type"] == kind]

    def variables(self, name: str, stack: str = "Stack") -> dict[str, Any]:
        """Return the variables of a function, by its FunctionName."""
        found: dict[str, Any] = self.function(name, stack).get("Environment", {})
        variables: dict[str, Any] = found.get("Variables", {})
        return variables

    def function(self, name: str, stack: str = "Stack") -> dict[str, Any]:
        """Return the properties of a function, by its FunctionName."""
        functions = self.resources("AWS::Lambda::Function", stack)
        return next(each for each in functions if each.get("FunctionName") == name)

    def severities(self, path: str) -> list[str]:
        """Return the severities of what is said of a construct."""
        return [severity for severity, _ in self.messages.get(path, [])]


@pytest.fixture
def app(tmp_path: Path, request: pytest.FixtureRequest) -> cdk.App:
    """An app that leaves nothing behind; an indirect parameter is its context."""
    return cdk.App(
        outdir=str(tmp_path / "cdk.out"),
        analytics_reporting=False,
        context=getattr(request, "param", None),
    )


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    """Its stack, for any account and region."""
    return cdk.Stack(app, "Stack")


@pytest.fixture
def make_function(stack: cdk.Stack) -> Callable[..., lambda_.Function]:
    """Make a function, named as its id."""

    def make(construct_id: str = "function", **changes: Any) -> lambda_.Function:
        scope = changes.pop("scope", stack)
        properties: dict[str, Any] = {
            "runtime": lambda_.Runtime.PYTHON_3_13,
            "handler": "index.handler",
            "code": lambda_.Code.from_inline("def handler(event, context): ..."),
        }
        return lambda_.Function(
            scope, construct_id, function_name=construct_id, **(properties | changes)
        )

    return make


@pytest.fixture
def make_zip(tmp_path: Path) -> Callable[..., Path]:
    """Make a zip with the builder's manifest and nothing else."""

    def make(python: str | None = "3.13", architecture: str = "x86_64", *extras: str) -> Path:
        interpreter = "uv" if python is None else None
        target = Target(
            python=python, architecture=architecture, interpreter=interpreter, extras=extras
        )
        path = tmp_path / f"{target.name}.zip"
        manifest = write_manifest(
            target, [read_own()], tmp_path, python=python or "3.13", glibc=(2, 17)
        )
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(MANIFEST, manifest)
        return path

    return make


@pytest.fixture
def synthesize(app: cdk.App) -> Callable[[], Synthesized]:
    """Synthesize the app."""

    def synthesize_app() -> Synthesized:
        assembly = app.synth()
        messages: dict[str, list[tuple[str, str]]] = {}
        for artifact in assembly.stacks:
            for each in artifact.messages:
                severity = each.level.name.lower()
                messages.setdefault(each.id.removeprefix("/"), []).append(
                    (severity, str(each.entry.data))
                )
        return Synthesized({each.id: _read(each) for each in assembly.stacks}, messages)

    return synthesize_app


def _read(artifact: cx_api.CloudFormationStackArtifact) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(Path(artifact.template_full_path).read_text())
    return template
