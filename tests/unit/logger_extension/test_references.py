"""References to secrets: what is one, what comes of it, and that errors repeat nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.references import (
    Reference,
    Secret,
    fill_references,
    find_references,
    pick_value,
    split_references,
)
from tests.support.laws import LAW

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otel/key-AbCdEf"
SHARED = "arn:aws:ssm:eu-west-1:123456789012:parameter/otel/key"

NAMES = st.text("abcXYZ019/_+=.@-,%", min_size=1, max_size=12)
KEYS = st.text("abcXYZ019 _=,.%-ü", max_size=8)
WORDS = st.text("abc :,=%{}/", max_size=10).filter(lambda text: "{{resolve:" not in text)
# CloudFormation's, and ours, which it leaves alone.
OPENINGS = st.sampled_from(["{{resolve:", "{{"])


@st.composite
def secrets(draw: st.DrawFn) -> tuple[str, Reference]:
    """Return a reference as text and as a value."""
    name, key, stage, version = draw(NAMES), draw(KEYS), draw(NAMES), draw(NAMES)
    if draw(st.booleans()):
        name = ARN
    opening = draw(OPENINGS)
    text = f"{opening}secretsmanager:{name}:SecretString:{key}:{stage}:{version}}}}}"
    return text, Reference(Secret("secretsmanager", name, stage, version), key)


@st.composite
def parameters(draw: st.DrawFn) -> tuple[str, Reference]:
    """Return a reference to a parameter, with or without its version."""
    name = draw(st.sampled_from(["/otel/key", "key", SHARED]))
    version = draw(st.sampled_from(["", "1", "label"]))
    service = draw(st.sampled_from(["ssm", "ssm-secure"]))
    tail = f":{version}" if version else ""
    return (
        f"{draw(OPENINGS)}{service}:{name}{tail}}}}}",
        Reference(Secret("ssm", name, version=version)),
    )


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ("secretsmanager:key", Reference(Secret("secretsmanager", "key"))),
        (f"secretsmanager:{ARN}", Reference(Secret("secretsmanager", ARN))),
        ("secretsmanager:key:SecretString", Reference(Secret("secretsmanager", "key"))),
        (f"secretsmanager:{ARN}:SecretString:api", Reference(Secret("secretsmanager", ARN), "api")),
        ("secretsmanager:key::api", Reference(Secret("secretsmanager", "key"), "api")),
        (
            f"secretsmanager:{ARN}:SecretString:api:AWSPREVIOUS",
            Reference(Secret("secretsmanager", ARN, "AWSPREVIOUS"), "api"),
        ),
        (
            "secretsmanager:key:SecretString:::4711",
            Reference(Secret("secretsmanager", "key", version="4711")),
        ),
        ("ssm:/otel/key", Reference(Secret("ssm", "/otel/key"))),
        ("ssm-secure:key:3", Reference(Secret("ssm", "key", version="3"))),
        (f"ssm:{SHARED}:3", Reference(Secret("ssm", SHARED, version="3"))),
    ],
)
def test_forms(body: str, reference: Reference) -> None:
    """The colons of an ARN part nothing; what is left out is empty."""
    assert split_references(f"{{{{resolve:{body}}}}}") == [reference]
    assert split_references(f"{{{{{body}}}}}") == [reference]


@pytest.mark.parametrize(
    "text",
    [
        "{{resolve:}}",
        "{{resolve:vault:hunter2}}",
        "{{resolve:secretsmanager}}",
        "{{resolve:secretsmanager:}}",
        "{{resolve:secretsmanager:hunter2",
        "{{resolve:secretsmanager:hunter2}",
        "{{resolve:secretsmanager:a:SecretBinary:hunter2}}",
        "{{resolve:secretsmanager:a:SecretString:hunter2:c:d:e}}",
        "{{resolve:secretsmanager:arn:aws:secretsmanager:hunter2}}",
        "{{resolve:secretsmanager:a hunter2}}",
        "{{resolve:ssm:hunter2:1:2}}",
        "{{ssm:hunter2:1:2}}",
        "{{secretsmanager:hunter2",
        "{{ssm-secure:}}",
        "{{resolve:ssm:arn:aws:ssm:hunter2}}",
        "ok {{resolve:ssm:a}} {{resolve:ssm:{{resolve:ssm:hunter2}}}}",
    ],
)
def test_what_does_not_read_is_refused(text: str) -> None:
    """An error does not repeat what may be a secret by a slip."""
    with pytest.raises(ValueError, match="reference") as caught:
        split_references(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{{", "Bearer {{x}}", "{{resolve", "resolve:ssm:a}}", "{{ssm}}", "{{vault:a}}"]
)
def test_other_text_is_only_text(text: str) -> None:
    """Braces alone are no reference."""
    assert "".join(str(part) for part in split_references(text)) == text
    assert find_references([text]) == frozenset()


@LAW
@given(st.lists(st.one_of(WORDS, secrets(), parameters()), max_size=5))
def test_a_text_is_its_parts(parts: list[str | tuple[str, Reference]]) -> None:
    """What stands around references stays as it is, and each of them is found and filled."""
    # A brace before a reference would make it begin one brace earlier.
    parts = [p.replace("{", "(") if isinstance(p, str) else p for p in parts]
    text = "".join(part if isinstance(part, str) else part[0] for part in parts)
    wanted = frozenset(part[1] for part in parts if not isinstance(part, str))
    assert find_references([text]) == wanted
    filled = "".join(part if isinstance(part, str) else f"<{part[1]}>" for part in parts)
    assert fill_references(text, {each: f"<{each}>" for each in wanted}) == filled


@LAW
@given(secrets(), st.text())
def test_a_value_is_not_looked_into(reference: tuple[str, Reference], value: str) -> None:
    """A secret that looks like a reference is sent as it is."""
    text, read = reference
    value += text
    assert fill_references(text, {read: value}) == value


def test_region_of_an_arn() -> None:
    """A plain name has none."""
    assert Secret("secretsmanager", ARN).region == "eu-west-1"
    assert Secret("secretsmanager", "key").region == ""


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("", "hunter2", "hunter2"),
        ("", "hunter2\n", "hunter2"),
        ("", '{"a": 1}', '{"a": 1}'),
        ("a", '{"a": "hunter2\\n"}', "hunter2"),
        ("a", '{"a": 4318}', "4318"),
    ],
)
def test_what_a_reference_means(key: str, text: str, value: str) -> None:
    """The whole, or the text or number under its key; a line feed at the end is a slip."""
    assert pick_value(Reference(Secret("secretsmanager", "s"), key), text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "hunter2"),
        ("a", '["hunter2"]'),
        ("a", '{"b": "hunter2"}'),
        ("a", '{"a": {"b": "hunter2"}}'),
        ("a", '{"a": true, "b": "hunter2"}'),
        ("", " \n"),
        ("a", '{"a": "", "b": "hunter2"}'),
    ],
)
def test_what_means_nothing_is_told_without_the_secret(key: str, text: str) -> None:
    """The key is named, which is no secret."""
    with pytest.raises(ValueError, match=r"key|is empty") as caught:
        pick_value(Reference(Secret("secretsmanager", "s"), key), text)
    assert "hunter2" not in str(caught.value)
