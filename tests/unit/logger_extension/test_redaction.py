"""What must not leave the process."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.errors import ConfigError
from logger_extension.policy.redaction import PATTERNS, Redactor
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_values

ALL = Redactor.build(list(PATTERNS))
MIB = 2**20
CARD = "4111111111111111"
KEY = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"  # noqa: S105  (an example)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("email", "to a.b+c@ex-ample.co.uk, now", "to [REDACTED:email], now"),
        ("email", "äöü@example.com.", "[REDACTED:email]."),
        ("email", "no @ here, nor a@b", "no @ here, nor a@b"),
        ("card", f"card {CARD}!", "card [REDACTED:card]!"),
        ("card", "4111 1111 1111 1111 12/27", "[REDACTED:card] 12/27"),
        ("card", "12 4111-1111-1111-1111 3", "12 [REDACTED:card] 3"),
        ("card", "378282246310005", "[REDACTED:card]"),
        ("card", "4111111111111112", "4111111111111112"),
        ("card", "1111111111111117", "1111111111111117"),
        ("card", f"{CARD}0 in a row", f"{CARD}0 in a row"),
        ("aws_key", f"id={KEY}", "id=[REDACTED:aws_key]"),
        ("aws_key", KEY + "X", KEY + "X"),
        ("bearer", "Authorization: Bearer abc.DEF-123_~+/==", "Authorization: [REDACTED:bearer]"),
        ("bearer", "the bearer of news", "the bearer of news"),
        ("jwt", f"t {TOKEN} u", "t [REDACTED:jwt] u"),
        ("secret", "password=hunter2&user=x", "password=[REDACTED:secret]&user=x"),
        ("secret", '"apiKey": "a b", "c": 1', '"apiKey": [REDACTED:secret], "c": 1'),
        ("secret", "aws_secret_access_key = 'x/y'", "aws_secret_access_key = [REDACTED:secret]"),
        ("secret", "the password is wrong", "the password is wrong"),
    ],
)
def test_the_named_patterns(name: str, text: str, expected: str) -> None:
    """Each finds its kind, and what stands around it is kept."""
    assert Redactor.build([name]).redact(text) == expected


def test_own_expressions() -> None:
    """What the group `keep` matches stays."""
    redactor = Redactor.build([], [r"order-\d+", r"(?P<keep>ssn: )\d{3}-\d{2}-\d{4}"])
    assert redactor.redact("order-17, ssn: 123-45-6789") == "[REDACTED:own], ssn: [REDACTED:own]"


def test_an_expression_that_matches_nothing_changes_nothing() -> None:
    """Else marks would stand between all letters."""
    assert Redactor.build([], ["x{0,3}"]).redact("abc") == "abc"


@pytest.mark.parametrize("pattern", ["(", "(a+)+$", r"\w+@", r"(a)\1"])
def test_an_expression_that_cannot_be_used_is_an_error(pattern: str) -> None:
    """It must not be left out: what it should hide would be sent."""
    with pytest.raises(ConfigError):
        Redactor.build(["email"], [pattern])


def test_values_at_any_depth() -> None:
    """In objects and lists, as text or as a number; names and other values stay."""
    value = {
        "user": {"mail": "a@b.cd", "ids": [1, "x", [CARD, int(CARD)]]},
        "count": 12,
        "ratio": 0.5,
        "yes": True,
        "none": None,
    }
    assert ALL.redact(value) == {
        "user": {
            "mail": "[REDACTED:email]",
            "ids": [1, "x", ["[REDACTED:card]", "[REDACTED:card]"]],
        },
        "count": 12,
        "ratio": 0.5,
        "yes": True,
        "none": None,
    }


@pytest.mark.parametrize(
    "name", ["password", "dbPassword", "API_KEY", "x-api-key", "Authorization"]
)
def test_fields_with_a_secrets_name(name: str) -> None:
    """Their value alone would not show what it is."""
    values: list[Any] = ["x", 5, ["x"], {"a": "x"}]
    for value in values:
        assert ALL.redact({name: value}) == {name: "[REDACTED:secret]"}
    says_nothing: list[Any] = [None, True, ""]
    for value in says_nothing:
        assert ALL.redact({name: value}) == {name: value}
    assert Redactor.build(["email"]).redact({name: "x"}) == {name: "x"}


def test_what_is_nested_too_deeply_is_redacted_as_text() -> None:
    """It becomes text in OTLP as well."""
    value: Any = "a@b.cd"
    for _ in range(900):
        value = {"a": [value]}
    assert "a@b.cd" not in json.dumps(ALL.redact(value))


_secrets = st.sampled_from(["a@b.cd", CARD, "4111 1111 1111 1111", KEY, TOKEN, int(CARD)])


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


@LAW
@given(
    st.recursive(
        _secrets | json_values,
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    )
)
def test_no_secret_is_left_and_the_value_stays(value: Any) -> None:
    """Anywhere in any JSON value; the value itself is not changed."""
    before = copy.deepcopy(value)
    leaves = [str(leaf) for leaf in _leaves(ALL.redact(value))]
    assert value == before
    for secret in ("a@b.cd", CARD, "4111 1111 1111 1111", KEY, TOKEN):
        assert secret not in leaves


@LAW
@given(st.text(max_size=30), st.sampled_from(["a@b.cd", CARD, KEY]), st.text(max_size=30))
def test_a_secret_between_blanks_is_found(before: str, secret: str, after: str) -> None:
    """Whatever stands around it."""
    assert f" {secret} " not in ALL.redact(f"{before}\n {secret} \n{after}")


@pytest.mark.parametrize(
    "unit",
    ["a", "a@", "a.", "1", "1 ", "4111 ", "eyJ", "password", 'token"', "AKIA", "bearer ", "é"],
)
def test_a_mebibyte_of_anything_is_redacted(unit: str) -> None:
    """In time linear in the text."""
    ALL.redact(unit * (MIB // len(unit)) + "@")
