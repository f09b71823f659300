"""The construct's keywords are the table, and each takes only what is of its type."""

from typing import Any, Literal, get_args, get_origin, get_type_hints

import aws_cdk as cdk
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager

from deploy.cdk import header_from_secret
from deploy.cdk.properties import Properties, find_plain_secrets, make_values
from deploy.environment import ParameterError
from deploy.parameters import PARAMETERS, Kind

# The first synthesis of a process loads all of CDK into Node.js.
pytestmark = pytest.mark.timeout(90)

HINTS = get_type_hints(Properties)

WRONG: dict[Kind, list[Any]] = {
    Kind.TEXT: [1, True, ["text"]],
    Kind.BOOLEAN: ["true", 1],
    Kind.INTEGER: ["1", 1.5, True, -1],
    Kind.NUMBER: ["1", True, -0.1, float("nan"), float("inf")],
    Kind.LIST: ["all", {"all": "x"}, [1]],
    Kind.MAP: ["a=b", [("a", "b")], {"a": 1}, {1: "a"}],
}


def test_keywords_are_the_table() -> None:
    """A new row needs a keyword, and a keyword a row."""
    assert set(HINTS) == {each.name for each in PARAMETERS}


def test_choices_are_the_tables() -> None:
    """What the types allow is what the table allows."""
    choices = {name: get_args(hint) for name, hint in HINTS.items() if get_origin(hint) is Literal}
    assert choices == {each.name: each.choices for each in PARAMETERS if each.choices}


@pytest.mark.parametrize("parameter", PARAMETERS, ids=[each.name for each in PARAMETERS])
def test_another_type_is_refused(parameter: Any) -> None:
    """An app that is not type-checked is told, without the value."""
    for value in WRONG[parameter.kind]:
        properties: Any = {parameter.name: value}
        with pytest.raises(ParameterError, match=parameter.name) as caught:
            make_values(properties)
        assert repr(value) not in str(caught.value)


def test_none_is_absent() -> None:
    """A property that is None counts as not given."""
    properties: Any = {"endpoint": None, "headers": None, "xray": None}
    assert make_values(properties) == {"headers": {}}


def test_numbers_must_be_known(stack: cdk.Stack) -> None:
    """A number of a deployment's parameter would be written as the number of a token."""
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    with pytest.raises(ParameterError, match="price_request"):
        make_values({"price_request": number})


@pytest.mark.parametrize("field", ["", "a:b", "a b", "a}", "a,b", "50%"])
def test_a_field_that_no_reference_can_hold_is_refused(field: str, stack: cdk.Stack) -> None:
    """What would end the reference or be encoded within it is refused where it is given."""
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "otlp")
    with pytest.raises(ValueError, match="field"):
        header_from_secret(secret, field=field)


def test_headers_that_look_like_secrets_are_found() -> None:
    """By their names, and only where text is given in place of a reference."""
    headers = {
        "Authorization": "Basic abc",
        "dd-api-key": "abc",
        "x-honeycomb-team": "{{ssm:honeycomb}}",
        "x-scope-orgid": "shop",
    }
    assert find_plain_secrets({"headers": headers}) == ["Authorization", "dd-api-key"]
