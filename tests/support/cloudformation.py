"""SAM templates as CloudFormation sees them: AWS's own translator, then the functions, here.

Knows the functions and pseudo parameters that our template uses; any other is an error.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

Template = dict[str, Any]

# What `AWS::NoValue` stands for: it has no place in a map or list.
NO_VALUE = object()

BASIC_ROLE = "AWSLambdaBasicExecutionRole"
MANAGED_POLICIES = {BASIC_ROLE: f"arn:aws:iam::aws:policy/service-role/{BASIC_ROLE}"}


def read_template(path: Path) -> Template:
    """Return a template as it is written."""
    template = yaml_parse(path.read_text())
    assert isinstance(template, dict)
    return template


def transform(template: Template, region: str) -> Template:
    """Return what CloudFormation makes of a template, its files put away as `sam package` does."""
    for resource in template["Resources"].values():
        for name in "CodeUri", "ContentUri":
            if name in resource["Properties"]:
                resource["Properties"][name] = "s3://bucket/key"
    session = boto3.session.Session(region_name=region)
    translator = Translator(MANAGED_POLICIES, Parser(), boto_session=session)
    transformed = translator.translate(template, {})
    assert isinstance(transformed, dict)
    return transformed


class Stack:
    """A transformed template with its parameters.

    Args:
        template: the template.
        parameters: those that are given, as text.
        pseudo: pseudo parameters by their names, such as `AWS::Region`.
    """

    def __init__(
        self, template: Template, parameters: Mapping[str, str], pseudo: Mapping[str, str]
    ) -> None:
        self._template = template
        self._given = parameters
        self._values: dict[str, Any] = {**pseudo, "AWS::NoValue": NO_VALUE}
        for name, definition in template["Parameters"].items():
            text = parameters.get(name, definition["Default"])
            is_list = definition["Type"] == "CommaDelimitedList"
            self._values[name] = text.split(",") if is_list else text

    def find_faults(self) -> list[str]:
        """Return the parameters and rules for which CloudFormation refuses the stack."""
        definitions = self._template["Parameters"]
        faults = [name for name in self._given if not self._is_allowed(name, definitions[name])]
        for name, rule in self._template.get("Rules", {}).items():
            if self.resolve(rule.get("RuleCondition", True)):
                faults += [name for each in rule["Assertions"] if not self.resolve(each["Assert"])]
        return faults

    def _is_allowed(self, name: str, definition: Mapping[str, Any]) -> bool:
        text, pattern = self._given[name], definition.get("AllowedPattern", ".*")
        texts = text.split(",") if definition["Type"] == "CommaDelimitedList" else [text]
        is_choice = text in definition.get("AllowedValues", [text])
        return is_choice and all(re.fullmatch(pattern, each) for each in texts)

    def has(self, resource: str) -> bool:
        """Return whether a resource is made."""
        condition = self._template["Resources"][resource].get("Condition")
        return condition is None or self.holds(condition)

    def properties(self, resource: str) -> Any:
        """Return the properties of a resource; references to other resources stay names."""
        return self.resolve(self._template["Resources"][resource]["Properties"])

    def holds(self, condition: str) -> bool:
        """Return whether a condition holds."""
        return bool(self.resolve(self._template["Conditions"][condition]))

    def resolve(self, value: Any) -> Any:
        """Return a value of the template without functions."""
        match value:
            case list():
                found = [self.resolve(each) for each in value]
                return [each for each in found if each is not NO_VALUE]
            case dict() if len(value) == 1 and (name := next(iter(value))) in FUNCTIONS:
                return FUNCTIONS[name](self, value[name])
            case dict():
                assert not any(name.startswith("Fn::") for name in value), value
                resolved = {name: self.resolve(each) for name, each in value.items()}
                return {name: each for name, each in resolved.items() if each is not NO_VALUE}
            case _:
                return value

    def refer(self, name: str) -> Any:
        """Return the value of a parameter; a resource stands for itself by its name."""
        if name in self._template["Resources"]:
            return name
        return self._values[name]

    def choose(self, condition: str, if_true: Any, if_false: Any) -> Any:
        """Return one of two values; the other is not looked at."""
        return self.resolve(if_true if self.holds(condition) else if_false)

    def substitute(self, text: str) -> str:
        """Return a text with its references replaced."""
        return re.sub(r"\$\{([^}]+)\}", lambda match: str(self.refer(match[1])), text)

    def equal(self, first: Any, second: Any) -> bool:
        """Return whether two values are the same."""
        return bool(self.resolve(first) == self.resolve(second))


FUNCTIONS: dict[str, Callable[[Stack, Any], Any]] = {
    "Ref": lambda stack, name: stack.refer(name),
    "Condition": lambda stack, name: stack.holds(name),
    "Fn::If": lambda stack, values: stack.choose(*values),
    "Fn::Equals": lambda stack, values: stack.equal(*values),
    "Fn::Not": lambda stack, values: not stack.resolve(values[0]),
    "Fn::And": lambda stack, values: all(stack.resolve(each) for each in values),
    "Fn::Or": lambda stack, values: any(stack.resolve(each) for each in values),
    "Fn::Join": lambda stack, values: values[0].join(stack.resolve(values[1])),
    "Fn::Sub": lambda stack, text: stack.substitute(text),
    "Fn::GetAtt": lambda _, path: ".".join(path),
}
